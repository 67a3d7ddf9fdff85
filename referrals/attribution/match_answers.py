"""Matches by device and network: the person's answer, and what a match is worth to a signup."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import or_, select

from db.engine import ReadSession, Session
from db.locks import lock_key
from db.tables import ReferralRow, TouchRow
from domain.attribution.decision import Touch
from domain.attribution.policy import Method, Refusal
from domain.intake.facts import Signup
from domain.lifecycle.referral import Stage
from referrals.attribution.touches import NewTouch, record_touch


@dataclass(frozen=True, slots=True)
class MatchAnswer:
    """The answer to a match: a yes only if every answer was one, at the time of the last."""

    is_confirmed: bool
    at: datetime


async def lock_match(session: Session, touch_id: UUID) -> None:
    """Lock a match, so that its answer and a signup that presents it see each other."""
    await lock_key(session, f"match:{touch_id}")


async def load_match_and_answer(
    session: ReadSession, touch_id: UUID
) -> tuple[TouchRow | None, MatchAnswer | None]:
    """Return a match's touch and its answer; the answer is None while nobody has given one."""
    query = select(TouchRow).where(
        or_(TouchRow.id == touch_id, TouchRow.answers_touch_id == touch_id)
    )
    rows = (await session.scalars(query)).all()
    touch = next((row for row in rows if row.id == touch_id), None)
    answers = [row for row in rows if row.is_confirmed is not None]
    if not answers:
        return touch, None
    is_confirmed = all(row.is_confirmed for row in answers)
    return touch, MatchAnswer(is_confirmed, max(row.at for row in answers))


async def refusal_of_match(
    session: ReadSession,
    signup: Signup,
    match: TouchRow,
    answer: MatchAnswer | None,
    *,
    grace: timedelta,
) -> Refusal | None:
    """Return why a match does not count, or None.

    A yes counts up to `grace` after the signup, as long as a code may be typed.
    """
    if answer is None:
        return Refusal.UNCONFIRMED
    if not answer.is_confirmed:
        return Refusal.DECLINED
    if answer.at > signup.occurred_at + grace:
        return Refusal.LATE_CODE
    return await _refusal_if_used(session, signup, match)


def touch_of_match(touch: Touch, match: TouchRow, refusal: Refusal | None) -> Touch:
    """Return the touch of a match's invitation as the match itself.

    Without a yes the invitation is somebody else's and stays open for them.
    """
    known = replace(touch, touch_id=match.id, at=match.at, confidence=match.confidence)
    referral_id = touch.referral_id if refusal is None else None
    return replace(known, refusal=known.refusal or refusal, referral_id=referral_id)


async def record_presenter(session: Session, signup: Signup, match: TouchRow) -> None:
    """Record that a signup presented a match, so that a later yes binds its player."""
    touch = NewTouch(
        id=uuid5(match.id, signup.event_id),
        method=Method.PROBABILISTIC,
        confidence=match.confidence,
        at=signup.occurred_at,
        code=match.code,
        campaign_slug=match.campaign_slug,
        referral_id=match.referral_id,
        player_id=signup.player_id,
        refusal=Refusal.UNCONFIRMED,
        answers_touch_id=match.id,
    )
    await record_touch(session, touch)


async def _refusal_if_used(session: ReadSession, signup: Signup, match: TouchRow) -> Refusal | None:
    """Refuse a match whose invitation is used: unlike a link, it is of one person only."""
    row = await session.get(ReferralRow, match.referral_id)
    is_open = row is not None and row.stage is Stage.INVITED
    is_own = row is not None and row.referee_id == signup.player_id
    return None if is_open or is_own else Refusal.SUPERSEDED
