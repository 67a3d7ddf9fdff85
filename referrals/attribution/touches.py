"""Touches: every contact between a person and an invitation, written once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, Uuid, and_, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import TouchRow
from domain.attribution.policy import CONFIDENCE, Method

MAX_TOUCHES: Final = 200
"""Of one visitor: whoever clicks more often than that is judged by the latest, and by all codes
that were told before any click."""


TOLD: Final = (Method.TYPED_CODE, Method.MANUAL)
"""What people say, a player or support."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTouch:
    """A touch to be written; what tells of the person, device or network is hashed already."""

    id: UUID
    method: Method
    at: datetime
    confidence: float | None = None
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


async def record(session: Session, contact: NewTouch) -> bool:
    """Whether it is new: ids are derived where a retry must be the same touch."""
    values = asdict(contact)
    if contact.confidence is None:
        values["confidence"] = CONFIDENCE[contact.method]
    added = await session.scalar(
        insert(TouchRow).values(values).on_conflict_do_nothing().returning(TouchRow.id)
    )
    return added is not None


async def tied(
    session: ReadSession,
    *,
    player_id: str,
    visitor: str | None = None,
    referral_id: UUID | None = None,
) -> Sequence[TouchRow]:
    """Those of a visitor and of a referral, and what support or a player told.

    First what support told, then what the player did, then the rest; the latest of each first.
    """
    # Without a value these compare with null, which nothing equals.
    its = TouchRow.visitor == literal(visitor, String)
    theirs = TouchRow.referral_id == literal(referral_id, Uuid)
    # A match says nothing of those who come with a token of their own.
    holds = and_(TouchRow.refusal.is_(None), TouchRow.method != Method.PROBABILISTIC)
    told = and_(TouchRow.player_id == player_id, TouchRow.method.in_(TOLD))
    surest = case((TouchRow.method == Method.MANUAL, 0), (told, 1), else_=2)
    query = select(TouchRow).where(or_(and_(or_(its, theirs), holds), told))
    query = query.order_by(surest, TouchRow.at.desc()).limit(MAX_TOUCHES)
    return (await session.scalars(query)).all()


def is_told(row: TouchRow) -> bool:
    """Whether it was said after the signup, or before that was heard, and not by the signup."""
    return row.method in TOLD and "told_at" in row.evidence


def told_at(row: TouchRow, *, grace: timedelta) -> datetime:
    """When it was said, by the caller's word as far as `grace` before it was heard."""
    return max(datetime.fromisoformat(row.evidence["told_at"]), row.at - grace)


async def alone(session: Session, touch_id: UUID) -> None:
    """Whoever answers a match and a signup that comes with it see each other's word."""
    key = func.hashtextextended(f"match:{touch_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a match, by all who answered."""

    is_confirmed: bool
    at: datetime


async def load_match_and_answer(
    session: ReadSession, touch_id: UUID
) -> tuple[TouchRow | None, Answer | None]:
    """A touch, and what was said of it; None while nobody did."""
    query = select(TouchRow).where(
        or_(TouchRow.id == touch_id, TouchRow.answers_touch_id == touch_id)
    )
    rows = (await session.scalars(query)).all()
    touch = next((row for row in rows if row.id == touch_id), None)
    said = [row for row in rows if row.is_confirmed is not None]
    if not said:
        return touch, None
    return touch, Answer(all(row.is_confirmed for row in said), max(row.at for row in said))
