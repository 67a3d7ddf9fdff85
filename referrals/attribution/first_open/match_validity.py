"""What a match by device and network is worth to a signup: something, after a yes in time."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid5

from db.engine import ReadSession, Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.policy import Method, Refusal, Touch
from domain.intake.facts import Signup
from domain.lifecycle.referral import Stage
from referrals.attribution import touches
from referrals.attribution.touches import Answer, NewTouch


async def refusal_of_match(
    session: ReadSession,
    signup: Signup,
    match: TouchRow,
    answer: Answer | None,
    *,
    grace: timedelta,
) -> Refusal | None:
    """Why a match does not count; it may be answered for as long as a code may be typed."""
    if answer is None:
        return Refusal.UNCONFIRMED
    if not answer.is_confirmed:
        return Refusal.DECLINED
    if answer.at > signup.occurred_at + grace:
        return Refusal.LATE_CODE
    return await _refusal_if_used(session, signup, match)


def judged(touch: Touch, match: TouchRow, refusal: Refusal | None) -> Touch:
    """Without a yes the invitation is somebody else's, and stays open for them."""
    known = replace(touch, touch_id=match.id, at=match.at, confidence=match.confidence)
    referral_id = touch.referral_id if refusal is None else None
    return replace(known, refusal=known.refusal or refusal, referral_id=referral_id)


async def record_presenter(session: Session, signup: Signup, match: TouchRow) -> None:
    """So that confirming it later binds the player who came with it."""
    contact = NewTouch(
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
    await touches.record(session, contact)


async def _refusal_if_used(session: ReadSession, signup: Signup, match: TouchRow) -> Refusal | None:
    """A match is of one person: unlike a link, it brings no second one, whatever won."""
    row = await session.get(ReferralRow, match.referral_id)
    is_left = row is not None and row.stage is Stage.INVITED
    is_own = row is not None and row.referee_id == signup.player_id
    return None if is_left or is_own else Refusal.SUPERSEDED
