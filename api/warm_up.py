"""Warm-up of the api: work that the first requests would otherwise wait for."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import structlog

from api.link import user_agents
from db import rate_windows
from db.engine import Database, Session
from db.faults import DATABASE_FAULTS, describe, is_schema_fault, is_transient
from domain.intake.facts import PlayerStatus, StatusChange
from referrals.attribution.clicks.batching import SessionClicks
from referrals.attribution.clicks.follow import follow_code
from referrals.attribution.clicks.followed_codes import Click
from referrals.attribution.clicks.statements import insert_invitations
from referrals.intake import facts
from runtime.garbage import settle_garbage

UNISSUABLE_CODE: Final = "(a warm-up)"
"""Written with letters that no code has."""

log = structlog.get_logger()


async def warm_up(database: Database) -> None:
    """Open and warm every connection, compile patterns, and take old objects out of collection."""
    user_agents.compile_patterns()
    try:
        await database.warm_up(warm_up_connection)
    except DATABASE_FAULTS as fault:
        # Postgres is away or not migrated yet, which /readyz reports.
        if not (is_transient(fault) or is_schema_fault(fault)):
            raise
        log.warning("warm_up_failed", fault=describe(fault))
    settle_garbage()


async def warm_up_connection(session: Session) -> None:
    """Run a click and an event, whose statements take tens of milliseconds to plan.

    The caller rolls the session back.
    """
    now, unique_id = datetime.now(UTC), f"warm-up-{uuid4().hex}"
    click = Click(code=UNISSUABLE_CODE, visitor=unique_id, platform=None, at=now)
    await rate_windows.count_hits(session, [rate_windows.WindowRequest({}, (), now)])
    await follow_code(SessionClicks(session), click)
    await insert_invitations(session, ())
    change = StatusChange(
        event_id=unique_id, occurred_at=now, player_id=unique_id, status=PlayerStatus.VERIFIED
    )
    await facts.record_fact(session, change, player_id=unique_id, door="http")
