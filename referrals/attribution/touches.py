"""Touches: contacts between a person and an invitation, each written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, StatementExecutor
from db.statements.stored_rows import stored
from db.tables import TouchRow
from domain.attribution.policy import CONFIDENCE_BY_METHOD, Method, Refusal

MAX_TOUCHES: Final = 200
"""Touches weighed for one signup: claims before clicks, and the latest of each first."""

CLAIMED_METHODS: Final = (Method.TYPED_CODE, Method.MANUAL)
"""Methods that a person states: a player types a code, support names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTouch:
    """A touch to write; what identifies a person, device or network is hashed already."""

    id: UUID
    method: Method
    at: datetime
    confidence: float | None = None
    """The method's own confidence where this is None."""
    code: str | None = None
    campaign_slug: str | None = None
    referral_id: UUID | None = None
    visitor: str | None = None
    player_id: str | None = None
    platform: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None
    device_traits: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    refusal: str | None = None
    answers_touch_id: UUID | None = None
    is_confirmed: bool | None = None

    @property
    def effective_confidence(self) -> float:
        return CONFIDENCE_BY_METHOD[self.method] if self.confidence is None else self.confidence


_NAMES: Final = tuple(each.name for each in fields(NewTouch))
# Made once: a person waits for a click, and making a statement takes longer than running it.
_INSERT_TOUCH: Final = (
    insert(TouchRow)
    .values({name: bindparam(name) for name in _NAMES})
    .on_conflict_do_nothing()
    .returning(TouchRow.id)
)

# Without a value these compare with null, which nothing equals. A match says nothing about a person
# who arrives with a token of their own.
_CLAIMED: Final = ", ".join(repr(method.value) for method in CLAIMED_METHODS)
_OF_SIGNUP: Final = text(f"""
    select * from touches
     where (visitor = :visitor or referral_id = :referral_id)
           and refusal is null and method <> '{Method.PROBABILISTIC}'
        or player_id = :player_id and method in ({_CLAIMED})
     order by case when method = '{Method.MANUAL}' then 0
                   when player_id = :player_id and method in ({_CLAIMED}) then 1 else 2 end,
              at desc
     limit {MAX_TOUCHES}
""")  # noqa: S608 - made of constants of ours


async def record_touch(session: StatementExecutor, touch: NewTouch) -> bool:
    """Insert a touch, and return whether it is new.

    Ids are derived where a retry must be the same touch; an id that exists is left as it is. A
    code that nobody has may be a name, and is not kept.
    """
    values = {name: getattr(touch, name) for name in _NAMES}
    values |= {
        "confidence": touch.effective_confidence,
        "device_traits": dict(touch.device_traits),
        "evidence": dict(touch.evidence),
        "code": None if touch.refusal is Refusal.UNKNOWN_CODE else touch.code,
    }
    return await session.scalar(_INSERT_TOUCH, values) is not None


async def load_for_signup(
    session: ReadSession,
    *,
    player_id: str,
    visitor: str | None = None,
    referral_id: UUID | None = None,
) -> Sequence[TouchRow]:
    """Load the touches of a visitor and of a referral, and the codes claimed for a player.

    Support's claims come first, then the player's, then the rest; the latest of each first.
    """
    values = {"player_id": player_id, "visitor": visitor, "referral_id": referral_id}
    return [stored(session, TouchRow, row) for row in await session.execute(_OF_SIGNUP, values)]


def is_claim(row: TouchRow) -> bool:
    """Return whether a touch is a code claimed apart from the signup, before or after it."""
    return row.method in CLAIMED_METHODS and "told_at" in row.evidence


def claimed_at(row: TouchRow, *, grace: timedelta) -> datetime:
    """Return the caller's time of a claim, but at most `grace` before it was received."""
    return max(datetime.fromisoformat(row.evidence["told_at"]), row.at - grace)
