"""Claims: codes that a player or support names apart from the signup, decided with the rest."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import exists, select

from db.engine import Session
from db.locks import lock_players
from db.tables import AttemptRow, ReferralRow, Reward, TouchRow
from domain.attribution.decision import (
    Attribution,
    AttributionDecision,
    Touch,
    Unattributed,
    attribute,
)
from domain.attribution.policy import Method, Refusal
from domain.intake.facts import FactKind, Signup
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from referrals.attribution import log
from referrals.attribution.binding import bind, bind_signup, lose, supersede
from referrals.attribution.gather import GatheredTouches, gather_touches
from referrals.attribution.locks import lock_token_subjects
from referrals.attribution.log import (
    ALREADY_BOUND,
    BOUND,
    REBOUND,
    WAITING,
    AttemptResult,
    AttributionAttempt,
)
from referrals.attribution.tokens import Tokens
from referrals.attribution.touches import NewTouch, record_touch
from referrals.campaigns import offers
from referrals.intake import facts
from referrals.lifecycle.stages import is_bound_to, lock_bound_referral

HARMLESS_WHEN_SAME_CODE: Final = frozenset({Refusal.OUTRANKED, Refusal.LATE_CODE})
"""Refusals that do not matter to a player who is bound to the claimed code already."""
_CLAIM_TOUCHES: Final = UUID("0b6f3c38-9a0e-5c5f-9d57-0d3f8a1f2c44")
"""Namespace of the touches that claims add."""
_MAX_EVENT_ID_CHARS: Final = 80
"""Width of a delivery's `event_id` column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeClaim:
    """A code claimed for a player, and the attempt that claims it."""

    attempt: AttributionAttempt
    player_id: str
    code: str | None
    """The normalised code; a text that cannot be one is None."""
    claimed_at: datetime
    """The caller's time, which counts at most the terms' `lateness_grace` before now."""
    method: Method = Method.TYPED_CODE

    @property
    def touch_id(self) -> UUID:
        return uuid5(_CLAIM_TOUCHES, self.attempt.attempt_id)


async def apply_claim(
    session: Session, claim: CodeClaim, *, tokens: Tokens, now: datetime
) -> AttemptResult:
    """Record a claimed code as a touch of its player and decide the signup again with it.

    The outcome is WAITING while no signup is recorded; that one is decided with the claim. A
    repeat gets the same result.
    """
    await lock_players(session, claim.player_id)
    offer = await offers.find(session, claim.code) if claim.code else None
    touch = NewTouch(
        id=claim.touch_id,
        method=claim.method,
        at=now,
        code=claim.code,
        campaign_slug=offer.campaign if offer else None,
        player_id=claim.player_id,
        evidence={"told_at": claim.claimed_at.isoformat()},
        refusal=None if offer else Refusal.UNKNOWN_CODE,
    )
    await record_touch(session, touch)
    return await redecide(
        session, claim.player_id, claim.touch_id, claim.attempt, tokens=tokens, now=now
    )


async def redecide(
    session: Session,
    player_id: str,
    touch_id: UUID,
    attempt: AttributionAttempt,
    *,
    tokens: Tokens,
    now: datetime,
) -> AttemptResult:
    """Decide a player's signup again because of one more touch; return what that touch came to."""
    await lock_players(session, player_id)
    known = await session.get(AttemptRow, attempt.attempt_id)
    if known is not None:
        return AttemptResult(known.outcome, known.referral_id)
    signup = await _find_signup(session, player_id)
    if signup is None:
        return await _log_early_attempt(session, attempt, touch_id)
    # The courier may not have bound it yet; binding it here decides with the same touches.
    await bind_signup(session, signup, tokens=tokens, now=now)
    signalled_to = await log.find_referral_bound_by_signal(session, signup.event_id)
    also_lock = [signalled_to, await _find_bound_referral_id(session, player_id)]
    await lock_token_subjects(session, signup, tokens=tokens, also_lock=also_lock)
    gathered = await gather_touches(
        session, signup, tokens=tokens, now=now, signalled_to=signalled_to
    )
    decision = attribute(signup, gathered.touches, gathered.policy)
    result = await _carry_out(
        session, signup, decision, gathered, touch_id=touch_id, attempt=attempt, now=now
    )
    await log.record_attempt(
        session, attempt, result, signup=signup, gathered=gathered, decision=decision
    )
    return result


async def _log_early_attempt(
    session: Session, attempt: AttributionAttempt, touch_id: UUID
) -> AttemptResult:
    """Log a claim without a signup under another id, so that its own stays free for that."""
    touch = await session.get_one(TouchRow, touch_id)
    early = replace(attempt, attempt_id=f"{attempt.attempt_id}#early")
    result = AttemptResult(touch.refusal or WAITING)
    if await session.get(AttemptRow, early.attempt_id) is None:
        await log.record_attempt(session, early, result)
    return result


async def _find_signup(session: Session, player_id: str) -> Signup | None:
    facts_of_player = await facts.facts_of_player(session, player_id, FactKind.SIGNUP)
    return next((fact for fact in facts_of_player if isinstance(fact, Signup)), None)


async def _carry_out(
    session: Session,
    signup: Signup,
    decision: AttributionDecision,
    gathered: GatheredTouches,
    *,
    touch_id: UUID,
    attempt: AttributionAttempt,
    now: datetime,
) -> AttemptResult:
    bound = await lock_bound_referral(session, signup.player_id)
    refusal = _refusal_of_touch(decision, touch_id)
    if isinstance(decision, Unattributed) or refusal is not None:
        return _refusal_result(decision, touch_id, refusal or Refusal.OUTRANKED, bound)
    if bound is not None:
        if bound.code == decision.winner.code:
            return AttemptResult(ALREADY_BOUND, bound.id)
        if not await _may_leave(session, bound):
            return AttemptResult(Refusal.ALREADY_EARNED, bound.id)
        event_id = f"rebound:{attempt.attempt_id}"[:_MAX_EVENT_ID_CHARS]
        await lose(session, bound, reason=ReasonCode.REBOUND, event_id=event_id, now=now)
    row = await _bind(session, signup, decision.winner, gathered, attempt, now=now)
    return AttemptResult(BOUND if bound is None else REBOUND, row.id, is_new=True)


async def _bind(
    session: Session,
    signup: Signup,
    winner: Touch,
    gathered: GatheredTouches,
    attempt: AttributionAttempt,
    *,
    now: datetime,
) -> ReferralRow:
    attempt_id = f"{attempt.kind}:{attempt.attempt_id}"
    row = await bind(session, signup, winner, attempt_id=attempt_id, now=now)
    await supersede(session, row, gathered.open_referral_ids, now=now)
    return row


def _refusal_result(
    decision: AttributionDecision, touch_id: UUID, refusal: Refusal, bound: ReferralRow | None
) -> AttemptResult:
    if bound is None:
        return AttemptResult(refusal)
    is_same_code = _is_code_of_touch(bound, decision, touch_id)
    is_known = refusal in HARMLESS_WHEN_SAME_CODE and is_same_code
    return AttemptResult(ALREADY_BOUND if is_known else refusal, bound.id)


def _refusal_of_touch(decision: AttributionDecision, touch_id: UUID) -> Refusal | None:
    """Return why this touch does not count; nobody may claim their own code."""
    if isinstance(decision, Attribution) and decision.winner.touch_id == touch_id:
        return decision.winner.refusal
    judged = {touch.touch_id: touch.refusal for touch in decision.judged}
    return judged.get(touch_id) or Refusal.OUTRANKED


def _is_code_of_touch(bound: ReferralRow, decision: AttributionDecision, touch_id: UUID) -> bool:
    """Return whether a touch names the code that its player is bound to, perhaps typed twice."""
    codes = {touch.code for touch in decision.judged if touch.touch_id == touch_id}
    return bound.code in codes


async def _find_bound_referral_id(session: Session, player_id: str) -> UUID | None:
    return await session.scalar(select(ReferralRow.id).where(is_bound_to(player_id)))


async def _may_leave(session: Session, row: ReferralRow) -> bool:
    """Return whether a player may move from a referral: nothing earned, nothing refused."""
    if row.stage is not Stage.SIGNED_UP:
        return False
    earned = await session.scalar(select(exists().where(Reward.referral_id == row.id)))
    return earned is not True
