"""What people wait for, done once on each connection before the first of them comes.

A connection that is new to a statement takes some tens of milliseconds to plan it.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from db import rate_windows
from db.engine import Session
from domain.intake.facts import PlayerStatus, StatusChange
from referrals.attribution.clicks import follow as clicks
from referrals.attribution.clicks import statements as visits
from referrals.attribution.clicks.statements import Visit
from referrals.intake import facts

NOBODYS: Final = "(a rehearsal)"
"""No code has such letters."""


async def rehearse(session: Session) -> None:
    """A click and an event, which whoever opened the session takes back."""
    now, name = datetime.now(UTC), f"rehearsal-{uuid4().hex}"
    visit = Visit(code=NOBODYS, visitor=name, platform=None, at=now)
    await rate_windows.count(session, {}, (), now=now)
    await clicks.follow(session, visit)
    await visits.plan(session, visit)
    change = StatusChange(
        event_id=name, occurred_at=now, player_id=name, status=PlayerStatus.VERIFIED
    )
    await facts.record_fact(session, change, player_id=name, door="http")
