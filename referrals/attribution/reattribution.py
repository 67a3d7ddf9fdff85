"""Changed and late minds: what a player or support says after the signup was decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, and_, exists, select

from db import locks
from db.engine import Session
from db.tables import AttemptRow, ReferralRow, Reward, TouchRow
from domain.attribution.policy import Attribution, Method, Refusal, Touch, Unattributed, attribute
from domain.intake.facts import FactKind, Signup
from domain.lifecycle.referral import Stage
from referrals.attribution import gather as candidates
from referrals.attribution import log as attributions
from referrals.attribution import touches
from referrals.attribution.decide import bind, bind_signup, supersede
from referrals.attribution.gather import GatheredTouches
from referrals.attribution.lock_order import lock_token_subjects
from referrals.attribution.log import BOUND, KNOWN, REBOUND, WAITING, Attempt, Binding, Entry
from referrals.attribution.tokens import Tokens
from referrals.attribution.touches import NewTouch
from referrals.campaigns import offers
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import enter_stage

HARMLESS_WHEN_SAME_CODE: Final = frozenset({Refusal.OUTRANKED, Refusal.LATE_CODE})
"""What does not matter to whoever is bound to that code already."""
LOST_REASON_BY_ATTEMPT: Final = {
    Attempt.CLAIM: "rebound",
    Attempt.CONFIRM: "rebound",
    Attempt.REBIND: "rebound",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeClaim:
    """A code that somebody says counts, and who says so when."""

    entry: Entry
    player_id: str
    code: str | None
    """None for what cannot be a code."""
    told_at: datetime
    method: Method = Method.TYPED_CODE

    @property
    def touch_id(self) -> UUID:
        return uuid5(_CLAIM_TOUCHES, self.entry.attempt_id)


_CLAIM_TOUCHES: Final = UUID("0b6f3c38-9a0e-5c5f-9d57-0d3f8a1f2c44")


async def change(session: Session, mind: CodeClaim, *, tokens: Tokens, now: datetime) -> Binding:
    """Record a code as a touch of its player, and decide again with it; the same again is the same.

    WAITING while no signup was heard: then it is decided with that.
    """
    await locks.lock_players(session, mind.player_id)
    offer = await offers.find(session, mind.code) if mind.code else None
    contact = NewTouch(
        id=mind.touch_id,
        method=mind.method,
        at=now,
        code=mind.code,
        campaign_slug=offer.campaign if offer else None,
        player_id=mind.player_id,
        evidence={"told_at": mind.told_at.isoformat()},
        refusal=None if offer else Refusal.UNKNOWN_CODE,
    )
    await touches.record(session, contact)
    return await redecide(
        session, mind.player_id, mind.touch_id, mind.entry, tokens=tokens, now=now
    )


async def redecide(
    session: Session,
    player_id: str,
    touch_id: UUID,
    entry: Entry,
    *,
    tokens: Tokens,
    now: datetime,
) -> Binding:
    """Decide a player's signup again because of one more touch, which is told what became of it."""
    await locks.lock_players(session, player_id)
    known = await session.get(AttemptRow, entry.attempt_id)
    if known is not None:
        return Binding(known.outcome, known.referral_id)
    signup = await _find_signup(session, player_id)
    if signup is None:
        return await _early(session, entry, touch_id)
    # The courier may not have come to it yet; it decides with the same touches as this.
    await bind_signup(session, signup, tokens=tokens, now=now)
    signalled_to = await attributions.find_referral_bound_by_signal(session, signup.event_id)
    beside = [signalled_to, await _find_bound_referral_id(session, player_id)]
    await lock_token_subjects(session, signup, tokens=tokens, beside=beside)
    found = await candidates.of_signup(session, signup, tokens=tokens, signalled_to=signalled_to)
    binding = await _decide_and_bind(session, signup, found, touch_id, entry, now=now)
    return await attributions.log(session, entry, binding, signup=signup, found=found)


async def _early(session: Session, entry: Entry, touch_id: UUID) -> Binding:
    """The touch waits for its signup; the log says so without answering for what comes then."""
    touch = await session.get_one(TouchRow, touch_id)
    early = replace(entry, attempt_id=f"{entry.attempt_id}#early")
    binding = Binding(touch.refusal or WAITING)
    if await session.get(AttemptRow, early.attempt_id) is None:
        await attributions.log(session, early, binding)
    return binding


async def _find_signup(session: Session, player_id: str) -> Signup | None:
    heard = await facts.facts_of_player(session, player_id, FactKind.SIGNUP)
    return next((fact for fact in heard if isinstance(fact, Signup)), None)


async def _decide_and_bind(
    session: Session,
    signup: Signup,
    found: GatheredTouches,
    touch_id: UUID,
    entry: Entry,
    *,
    now: datetime,
) -> Binding:
    verdict = attribute(signup, found.touches, found.policy)
    bound = await _lock_bound_referral(session, signup.player_id)
    refusal = _refusal(verdict, touch_id)
    if isinstance(verdict, Unattributed) or refusal is not None:
        return _refused(verdict, touch_id, refusal or Refusal.OUTRANKED, bound)
    if bound is not None:
        if bound.code == verdict.winner.code:
            return Binding(KNOWN, bound.id)
        if not await _may_leave(session, bound):
            return Binding(Refusal.ALREADY_EARNED, bound.id)
        await _lose_referral(session, bound, entry, now=now)
    row = await _bind(session, signup, verdict.winner, found, entry, now=now)
    return Binding(BOUND if bound is None else REBOUND, row.id, is_new=True)


async def _bind(
    session: Session,
    signup: Signup,
    winner: Touch,
    found: GatheredTouches,
    entry: Entry,
    *,
    now: datetime,
) -> ReferralRow:
    attempt_id = f"{entry.attempt}:{entry.attempt_id}"
    row = await bind(session, signup, winner, attempt_id=attempt_id, now=now)
    await supersede(session, row, found.open_referrals, now=now)
    return row


def _refused(
    verdict: Attribution | Unattributed, touch_id: UUID, refusal: Refusal, bound: ReferralRow | None
) -> Binding:
    if bound is None:
        return Binding(refusal)
    is_known = refusal in HARMLESS_WHEN_SAME_CODE and _names(bound, verdict, touch_id)
    return Binding(KNOWN if is_known else refusal, bound.id)


def _refusal(verdict: Attribution | Unattributed, touch_id: UUID) -> Refusal | None:
    """Why this very touch does not count; a self-referral is nothing that one may ask for."""
    if isinstance(verdict, Attribution) and verdict.winner.touch_id == touch_id:
        return verdict.winner.refusal
    judged = {touch.touch_id: touch.refusal for touch in verdict.candidates}
    return judged.get(touch_id) or Refusal.OUTRANKED


def _names(bound: ReferralRow, verdict: Attribution | Unattributed, touch_id: UUID) -> bool:
    """Whether a touch is one more of the code that its player is bound to, typed twice perhaps."""
    codes = {touch.code for touch in verdict.candidates if touch.touch_id == touch_id}
    return bound.code in codes


async def _find_bound_referral_id(session: Session, player_id: str) -> UUID | None:
    return await session.scalar(select(ReferralRow.id).where(_is_bound_referral_of(player_id)))


async def _lock_bound_referral(session: Session, player_id: str) -> ReferralRow | None:
    return await session.scalar(
        select(ReferralRow)
        .where(_is_bound_referral_of(player_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def _is_bound_referral_of(player_id: str) -> ColumnElement[bool]:
    return and_(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)


async def _may_leave(session: Session, row: ReferralRow) -> bool:
    """Only while nothing was earned, nor refused for good."""
    if row.stage is not Stage.SIGNED_UP:
        return False
    earned = await session.scalar(select(exists().where(Reward.referral_id == row.id)))
    return earned is not True


async def _lose_referral(
    session: Session, row: ReferralRow, entry: Entry, *, now: datetime
) -> None:
    await enter_stage(
        session, row, Stage.LOST, until=now, at=now, reason=LOST_REASON_BY_ATTEMPT[entry.attempt]
    )
    await session.flush()
    event_id = f"rebound:{entry.attempt_id}"[:80]
    await deliveries.enqueue(session, row.id, deliveries.of_loss(event_id))
