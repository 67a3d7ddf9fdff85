"""Binding: a signup and the referral it belongs to, decided once under the player's lock."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import exists, or_, select, tuple_

from db import locks
from db.engine import Session
from db.tables import AttemptRow, FactRow, ReferralRow
from domain.attribution.policy import Attribution, Refusal, Touch, Unattributed, attribute
from domain.intake.facts import FactKind, Signup
from domain.lifecycle.referral import Stage, deposit_deadline
from referrals.attribution import gather as candidates
from referrals.attribution import log as attributions
from referrals.attribution.gather import GatheredTouches
from referrals.attribution.lock_order import lock_token_subjects
from referrals.attribution.log import ATTRIBUTED, BOUND, SELF, Binding, Entry, Way
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers
from referrals.lifecycle import deliveries
from referrals.lifecycle.fan_out import deliver_every_fact
from referrals.lifecycle.stages import enter_stage, lock_referral, open_referral, terms_of

SUPERSEDED: Final = "superseded"


async def bind_signup(
    session: Session,
    signup: Signup,
    *,
    tokens: Tokens,
    now: datetime,
    signalled_to: UUID | None = None,
) -> Binding:
    """Bind a recorded signup and route its player's facts; asked again, answer the same.

    `signalled_to` is the referral whose workflow was signalled directly. It counts where the
    signup itself brings nobody, so that it is the same whichever door is faster.
    """
    await locks.lock_players(session, signup.player_id)
    way = Way.DOOR if signalled_to is None else Way.SIGNAL
    decided = await attributions.decided(session, signup.event_id, way)
    if decided is None:
        await lock_token_subjects(session, signup, tokens=tokens, beside=[signalled_to])
        found, verdict = await _gather_and_attribute(session, signup, signalled_to, tokens=tokens)
        if await _is_existing_player(session, signup):
            verdict = Unattributed(reason=Refusal.EXISTING_PLAYER)
        binding = await _bound(session, signup, verdict, found, now=now)
        entry = Entry(attempt_id=signup.event_id + way, player_id=signup.player_id)
        decided = await attributions.log(session, entry, binding, signup=signup, found=found)
    if signalled_to is not None:
        await supersede_if_bound_elsewhere(session, signup.event_id, signalled_to, now=now)
    return decided


async def _gather_and_attribute(
    session: Session, signup: Signup, signalled_to: UUID | None, *, tokens: Tokens
) -> tuple[GatheredTouches, Attribution | Unattributed]:
    found = await candidates.of_signup(session, signup, tokens=tokens)
    verdict = attribute(signup, found.touches, found.policy)
    if signalled_to is None or isinstance(verdict, Attribution):
        return found, verdict
    found = await candidates.of_signup(session, signup, tokens=tokens, signalled_to=signalled_to)
    return found, attribute(signup, found.touches, found.policy)


async def supersede_if_bound_elsewhere(
    session: Session, event_id: str, loser: UUID, *, now: datetime
) -> None:
    """An invitation that is signalled with a signup that another referral has won is lost."""
    decided = await attributions.decided(session, event_id, Way.SIGNAL)
    if decided is not None and decided.referral_id not in {None, loser}:
        await _lose_open_invitations(session, {loser}, winner=decided.referral_id, now=now)


async def bind(
    session: Session, signup: Signup, winner: Touch, *, attempt_id: str, now: datetime
) -> ReferralRow:
    """Bind a locked player's signup to the touch that won, and supersede what else invited it."""
    row = await _lock_or_open_referral(session, signup, winner, attempt_id=attempt_id)
    row.referee_id = signup.player_id
    row.signed_up_at = signup.occurred_at
    row.signup_event_id = signup.event_id
    row.attribution_method = winner.method
    row.attribution_confidence = winner.confidence
    until = deposit_deadline(signup.occurred_at, terms_of(row), heard_at=now)
    await enter_stage(session, row, Stage.SIGNED_UP, until=until, at=signup.occurred_at)
    await deliver_every_fact(session, row)
    return row


async def supersede(
    session: Session, winner: ReferralRow, others: Collection[UUID], *, now: datetime
) -> None:
    """What else invited the same person has lost."""
    losers = set(others) - {winner.id}
    if losers:
        await _lose_open_invitations(session, losers, winner=winner.id, now=now)


async def _bound(
    session: Session,
    signup: Signup,
    verdict: Attribution | Unattributed,
    found: GatheredTouches,
    *,
    now: datetime,
) -> Binding:
    if isinstance(verdict, Unattributed):
        return Binding(verdict.reason)
    attempt_id = f"signup:{signup.event_id}"
    row = await bind(session, signup, verdict.winner, attempt_id=attempt_id, now=now)
    await supersede(session, row, found.open_referrals, now=now)
    return Binding(SELF if verdict.is_self else BOUND, row.id, is_new=True)


async def _is_existing_player(session: Session, signup: Signup) -> bool:
    """Whether the player is referred, or signed up before: with another event, at another time."""
    player_id = signup.player_id
    bound = exists().where(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)
    before = exists().where(AttemptRow.player_id == player_id, AttemptRow.outcome.in_(ATTRIBUTED))
    earlier = exists().where(
        FactRow.player_id == player_id,
        FactRow.kind == FactKind.SIGNUP,
        tuple_(FactRow.occurred_at, FactRow.event_id) < (signup.occurred_at, signup.event_id),
    )
    return (await session.scalar(select(or_(bound, before, earlier)))) is True


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
    known, campaign, version = found
    return await open_referral(
        session,
        referral_id=uuid5(campaign.id, attempt_id),
        code=known,
        campaign=campaign,
        version=version,
        invited_at=signup.occurred_at,
    )


async def _lose_open_invitations(
    session: Session, losers: Collection[UUID], *, winner: UUID | None, now: datetime
) -> None:
    rows = await session.scalars(
        select(ReferralRow)
        .where(ReferralRow.id.in_(losers), ReferralRow.stage == Stage.INVITED)
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
    )
    for row in rows.all():
        await enter_stage(session, row, Stage.LOST, until=now, at=now, reason=SUPERSEDED)
        event_id = f"{SUPERSEDED}:{winner}"
        await deliveries.enqueue(session, row.id, deliveries.of_loss(event_id))
