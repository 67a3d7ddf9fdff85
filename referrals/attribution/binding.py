"""Deciding a signup: gather its touches, decide once, bind the winner, record the attempt."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select, text

from db.engine import Session
from db.tables import ReferralRow
from domain.attribution.decision import (
    Attribution,
    AttributionDecision,
    Touch,
    Unattributed,
    attribute,
)
from domain.attribution.policy import Refusal
from domain.intake.facts import Signup
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, deposit_deadline
from referrals.attribution.gather import GatheredTouches, gather_touches
from referrals.attribution.locks import lock_token_subjects
from referrals.attribution.log import (
    ATTRIBUTED_OUTCOMES,
    BOUND,
    SELF,
    AttemptResult,
    AttributionAttempt,
    SignupDoor,
    find_result,
    record_attempt,
)
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers
from referrals.campaigns.acceptances import acceptance, link_of_version
from referrals.lifecycle import deliveries
from referrals.lifecycle.bound_signups import note_signup
from referrals.lifecycle.fan_out import deliver_every_fact
from referrals.lifecycle.reopening import reopen
from referrals.lifecycle.stages import (
    enter_stage,
    lock_referral,
    open_referral,
    terms_of,
)

SUPERSEDED: Final = "superseded"
_IS_EXISTING: Final = text("""
    select exists (select from referrals where referee_id = :player_id and stage <> 'LOST')
        or exists (select from attributions
                    where player_id = :player_id and outcome = any(cast(:outcomes as varchar[])))
        or exists (select from facts
                    where player_id = :player_id and kind = 'signup'
                      and (occurred_at, event_id) < (:occurred_at, :event_id))
""")


async def bind_signup(
    session: Session,
    signup: Signup,
    *,
    tokens: Tokens,
    now: datetime,
    signalled_to: UUID | None = None,
) -> AttemptResult:
    """Bind a locked player's recorded signup and deliver its facts; a repeat gets the same result.

    `signalled_to` is the referral whose workflow was signalled directly. It counts where the
    signup itself presents nothing that holds, so the result is the same whichever door is faster.
    """
    door = SignupDoor.EVENT if signalled_to is None else SignupDoor.SIGNAL
    result = await find_result(session, signup.event_id, door)
    if result is None:
        await lock_token_subjects(session, signup, tokens=tokens, also_lock=[signalled_to])
        gathered, decision = await _gather_and_decide(
            session, signup, signalled_to, tokens=tokens, now=now
        )
        result = await _carry_out(session, signup, decision, gathered, now=now)
        attempt = AttributionAttempt(attempt_id=signup.event_id + door, player_id=signup.player_id)
        await record_attempt(
            session, attempt, result, signup=signup, gathered=gathered, decision=decision
        )
    if signalled_to is not None:
        await supersede_if_bound_elsewhere(session, signup.event_id, signalled_to, now=now)
    return result


async def bind(
    session: Session,
    signup: Signup,
    winner: Touch,
    *,
    attempt_id: str,
    now: datetime,
    locked: ReferralRow | None = None,
) -> ReferralRow:
    """Bind a locked player's signup to the touch that won; `attempt_id` names a new referral.

    `locked` is the referral of that touch, if it is locked already.

    An invitation that has EXPIRED is re-opened: the signup was in time, and is reported late.
    """
    row = locked or await _lock_or_open_referral(session, signup, winner, attempt_id=attempt_id)
    row.referee_id = signup.player_id
    row.signed_up_at = signup.occurred_at
    row.signup_event_id = signup.event_id
    row.attribution_method = winner.method
    row.attribution_confidence = winner.confidence
    await _record_acceptance(session, row, signup)
    # A signup that was reported late is not followed by reminders that are late as well.
    row.reminded_until = now
    until = deposit_deadline(signup.occurred_at, terms_of(row), received_at=now)
    if row.stage is Stage.EXPIRED:
        await reopen(session, row, until=until, now=now)
    else:
        await enter_stage(session, row, Stage.SIGNED_UP, until=until, at=signup.occurred_at)
    await deliver_every_fact(session, row)
    await note_signup(session, row.id)
    return row


async def _record_acceptance(session: Session, row: ReferralRow, signup: Signup) -> None:
    if signup.accepted_terms is None:
        return
    accepted = acceptance(
        await link_of_version(session, row.campaign_version_id),
        signup.accepted_terms,
        jurisdiction=signup.jurisdiction,
        at=signup.occurred_at,
    )
    row.accepted_terms = {**(row.accepted_terms or {}), "referee": accepted}


async def supersede(
    session: Session, winner: ReferralRow, others: Collection[UUID], *, now: datetime
) -> None:
    """Close the other open invitations of a person who was bound to `winner`."""
    losers = set(others) - {winner.id}
    if losers:
        await _supersede_open(session, losers, winner=winner.id, now=now)


async def supersede_if_bound_elsewhere(
    session: Session, event_id: str, loser: UUID, *, now: datetime
) -> None:
    """Close the signalled invitation if its signup was bound to another referral."""
    result = await find_result(session, event_id, SignupDoor.SIGNAL)
    if result is not None and result.referral_id not in {None, loser}:
        await _supersede_open(session, {loser}, winner=result.referral_id, now=now)


async def lose(
    session: Session, row: ReferralRow, *, reason: ReasonCode, event_id: str, now: datetime
) -> None:
    """Close a locked referral as LOST, and queue the signal that wakes its workflow."""
    await enter_stage(session, row, Stage.LOST, until=now, at=now, reason=reason)
    await deliveries.enqueue(session, row.id, deliveries.of_loss(event_id))


async def _gather_and_decide(
    session: Session, signup: Signup, signalled_to: UUID | None, *, tokens: Tokens, now: datetime
) -> tuple[GatheredTouches, AttributionDecision]:
    """Gather and decide; the signal is gathered only where nothing else attributes the signup."""
    gathered = await gather_touches(session, signup, tokens=tokens, now=now)
    decision = attribute(signup, gathered.touches, gathered.policy)
    if signalled_to is None or isinstance(decision, Attribution):
        return gathered, decision
    gathered = await gather_touches(
        session, signup, tokens=tokens, now=now, signalled_to=signalled_to
    )
    return gathered, attribute(signup, gathered.touches, gathered.policy)


async def _carry_out(
    session: Session,
    signup: Signup,
    decision: AttributionDecision,
    gathered: GatheredTouches,
    *,
    now: datetime,
) -> AttemptResult:
    if await _is_existing_player(session, signup):
        return AttemptResult(Refusal.EXISTING_PLAYER)
    if isinstance(decision, Unattributed):
        return AttemptResult(decision.reason)
    attempt_id = f"signup:{signup.event_id}"
    winner = decision.winner
    locked = gathered.locked.get(winner.referral_id) if winner.referral_id else None
    row = await bind(session, signup, winner, attempt_id=attempt_id, now=now, locked=locked)
    await supersede(session, row, gathered.open_referral_ids, now=now)
    return AttemptResult(SELF if decision.is_self else BOUND, row.id, is_new=True)


async def _is_existing_player(session: Session, signup: Signup) -> bool:
    """Return whether the player is bound, or signed up before with another event."""
    values = {
        "player_id": signup.player_id,
        "occurred_at": signup.occurred_at,
        "event_id": signup.event_id,
        "outcomes": list(ATTRIBUTED_OUTCOMES),
    }
    return await session.scalar(_IS_EXISTING, values) is True


async def _lock_or_open_referral(
    session: Session, signup: Signup, winner: Touch, *, attempt_id: str
) -> ReferralRow:
    if winner.referral_id is not None:
        row = await lock_referral(session, winner.referral_id)
        if row is None:
            raise LookupError(f"referral {winner.referral_id} is gone")
        return row
    found = await offers.find_row(session, winner.code or "")
    if found is None:
        raise LookupError(f"code {winner.code} is gone")
    code, campaign, version, _ = found
    return await open_referral(
        session,
        referral_id=uuid5(campaign.id, attempt_id),
        code=code,
        campaign=campaign,
        version=version,
        invited_at=signup.occurred_at,
    )


async def _supersede_open(
    session: Session, losers: Collection[UUID], *, winner: UUID | None, now: datetime
) -> None:
    rows = await session.scalars(
        select(ReferralRow)
        .where(ReferralRow.id.in_(losers), ReferralRow.stage == Stage.INVITED)
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
    )
    for row in rows.all():
        event_id = f"{SUPERSEDED}:{winner}"
        await lose(session, row, reason=ReasonCode.SUPERSEDED, event_id=event_id, now=now)
