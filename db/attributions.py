"""What was decided of each signup, and why: written once, answered again when asked again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select

from db.engine import ReadSession, Session
from db.tables import AttributionLog
from domain.attribution import Claim
from domain.facts import Signup

BOUND: Final = "bound"


class Way(StrEnum):
    """How a signup was heard; refused in one way, it may still be bound in the other.

    The value is added to the event's id, in which no door allows this sign.
    """

    DOOR = ""
    SIGNAL = "#signal"


@dataclass(frozen=True, slots=True)
class Binding:
    """What was decided of a signup; `outcome` is 'bound' or why it belongs to nobody."""

    outcome: str
    referral_id: UUID | None = None
    is_new: bool = False
    """Bound just now, with all that its player had done before."""


async def decided(session: ReadSession, event_id: str, way: Way) -> Binding | None:
    """The binding, in whatever way it came about, or what this way was answered before."""
    ids = [event_id + other for other in Way]
    query = select(AttributionLog).where(AttributionLog.signup_event_id.in_(ids))
    known = {row.signup_event_id: row for row in await session.scalars(query)}
    bound = next((row for row in known.values() if row.outcome == BOUND), None)
    row = bound or known.get(event_id + way)
    return Binding(row.outcome, row.referral_id) if row else None


async def log(
    session: Session, signup: Signup, way: Way, claims: Sequence[Claim], binding: Binding
) -> Binding:
    await session.execute(
        insert(AttributionLog).values(
            signup_event_id=signup.event_id + way,
            player_id=signup.player_id,
            outcome=binding.outcome,
            referral_id=binding.referral_id,
            claims=[_plain(claim) for claim in claims],
        )
    )
    return binding


def _plain(claim: Claim) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(claim).items() if value is not None}
