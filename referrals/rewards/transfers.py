"""Rewards and the transfers that hold, release, void, reverse and reinstate them."""

# ruff: noqa: S608 - the statement is built from constants of this code only

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from db.engine import ReadSession, Session
from db.statements.stored_rows import mark_written, stored
from db.tables import ReferralRow, Reward
from domain.ledger.movements import (
    Movement,
    Transfer,
    transfer_id,
)
from domain.money import Money, RewardKind, clamp_sum
from domain.rewards.computed import write_computation
from domain.rewards.reward import PromisedReward, RewardStatus
from referrals.campaigns import funds_queue
from referrals.ledger.absent import NOTHING_ABSENT, Absent
from referrals.ledger.posting import PostingOutcome
from referrals.rewards.debts import recoveries_of

_FOLLOWS: Final = """
    rewards.status = 'DEFERRED' and rewards.computation is not null
    and not exists (select from transfers where reward_id = rewards.id)
"""
_WRITE: Final = text(f"""
    insert into rewards (id, referral_id, reward_type, kind, player_id, amount_minor, currency,
                         status, held_until, deposit_event_id, computation, qualification_id,
                         campaign_version_id, assessment_id, created_at, changed_at)
    values (:id, :referral_id, :reward_type, :kind, :player_id, :amount_minor, :currency,
            :status, :held_until, :deposit_event_id, :computation, :qualification_id,
            :campaign_version_id, :assessment_id, :at, :at)
    on conflict (id) do update set
        qualification_id = excluded.qualification_id, held_until = excluded.held_until,
        deposit_event_id = excluded.deposit_event_id, assessment_id = excluded.assessment_id,
        amount_minor = case when {_FOLLOWS} then excluded.amount_minor
                            else rewards.amount_minor end,
        computation = case when {_FOLLOWS} then excluded.computation
                           else rewards.computation end
    returning *
""").bindparams(bindparam("computation", type_=JSONB(none_as_null=True)))
_SET_STATUS: Final = text("""
    update rewards set status = :status, changed_at = :at where id = any(cast(:ids as uuid[]))
""")


async def rewards_of_referral(session: ReadSession, referral_id: UUID) -> Sequence[Reward]:
    query = select(Reward).where(Reward.referral_id == referral_id)
    return (
        await session.scalars(query.order_by(Reward.reward_type, Reward.kind.nulls_first()))
    ).all()


def money_of(reward: Reward) -> Money:
    return Money(reward.amount_minor, reward.currency)


def standing_minor(reward: Reward) -> int:
    """Return what stands of a reward after adjustments, in minor units, if it is ISSUED."""
    return reward.standing_minor


def total_of(rewards: Sequence[Reward]) -> Money:
    """Return what the rewards of a referral are together; they have one currency.

    More than can be stated is shown, and waited for, as the largest amount.
    """
    return clamp_sum(sum(reward.amount_minor for reward in rewards), rewards[0].currency)


async def write_promised(
    session: Session,
    referral: ReferralRow,
    promised: Sequence[PromisedReward],
    *,
    qualification_id: UUID,
    deposit_event_id: str,
    held_until: datetime,
    at: datetime,
    are_first: bool = False,
) -> Sequence[Reward]:
    """Write each promised reward, or point an unpaid one to the qualification that earns it now.

    A computed amount follows what is due until money was first reserved for it, and then stays: the
    rest is an adjustment after the credit. `are_first` says that the referral has no rewards yet.
    RuntimeError when a stored flat reward has another amount than its terms promise.
    """
    earned = {
        "qualification_id": qualification_id,
        "deposit_event_id": deposit_event_id,
        "held_until": held_until,
        "assessment_id": referral.assessment_id,
    }
    written = [
        stored(session, Reward, (await session.execute(_WRITE, values)).one())
        for values in (_deferred_values(referral, one, at=at) | earned for one in promised)
    ]
    if are_first:
        written.sort(key=lambda reward: (reward.reward_type, reward.kind or ""))
    else:
        written = [*await rewards_of_referral(session, referral.id)]
    flat = [reward for reward in written if reward.computation is None]
    found = {(reward.id, reward.player_id, money_of(reward)) for reward in flat}
    wanted = [reward for reward in promised if reward.computation is None]
    if found != {(reward.reward_id, reward.player_id, reward.amount) for reward in wanted}:
        raise RuntimeError(f"the rewards of referral {referral.id} are not what its terms promise")
    return written


async def hold(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    *,
    at: datetime,
    absent: Absent = NOTHING_ABSENT,
) -> PostingOutcome:
    """Reserve every reward of the referral out of the campaign's budget, or none of them."""
    transfers = [transfer_of(referral, reward, Movement.HOLD) for reward in rewards]
    posting = await funds_queue.post(session, referral, transfers, at=at, absent=absent)
    if posting is not PostingOutcome.INSUFFICIENT:
        await _set_status(session, rewards, RewardStatus.HELD, at=at)
    return posting


async def credit(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    *,
    at: datetime,
    absent: Absent = NOTHING_ABSENT,
) -> PostingOutcome:
    """Hold and release in one posting, where no hold is needed; all rewards or none."""
    holds = [transfer_of(referral, reward, Movement.HOLD) for reward in rewards]
    releases = await _releases(session, referral, rewards, may_owe=not absent.debts)
    transfers = [*holds, *releases]
    posting = await funds_queue.post(session, referral, transfers, at=at, absent=absent)
    if posting is not PostingOutcome.INSUFFICIENT:
        await _set_status(session, rewards, RewardStatus.ISSUED, at=at)
    return posting


async def release(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Credit the held rewards, and recover from them first what their players owe."""
    await post_or_raise(session, referral, await _releases(session, referral, rewards), at=at)
    await _set_status(session, rewards, RewardStatus.ISSUED, at=at)


async def unreserve(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Give reserved money back to the campaign, and defer the rewards: they may be held again."""
    await post_or_raise(session, referral, [_void_of(referral, r) for r in rewards], at=at)
    await _set_status(session, rewards, RewardStatus.DEFERRED, at=at)
    for reward in rewards:
        reward.cycle += 1


async def void(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Give held rewards back to the campaign; deferred ones have no money reserved."""
    held = [reward for reward in rewards if reward.status is RewardStatus.HELD]
    transfers = [_void_of(referral, reward) for reward in held]
    if transfers:
        await post_or_raise(session, referral, transfers, at=at)
    else:
        await funds_queue.pass_on(session, referral)
    await _set_status(session, rewards, RewardStatus.VOID, at=at)


def hold_id_of(reward: Reward) -> UUID:
    """Return the id of the transfer that reserved a reward last."""
    return transfer_id(reward.id, Movement.HOLD, cycle=reward.cycle)


def _void_of(referral: ReferralRow, reward: Reward) -> Transfer:
    return transfer_of(referral, reward, Movement.VOID, resolves=hold_id_of(reward))


def _deferred_values(
    referral: ReferralRow, promised: PromisedReward, *, at: datetime
) -> dict[str, Any]:
    return {
        "id": promised.reward_id,
        "referral_id": referral.id,
        "reward_type": promised.key.to,
        "kind": None if promised.key.kind is RewardKind.CASH else promised.key.kind,
        "player_id": promised.player_id,
        "amount_minor": promised.amount.minor,
        "currency": promised.amount.currency,
        "computation": write_computation(promised.computation) if promised.computation else None,
        "status": RewardStatus.DEFERRED,
        "campaign_version_id": referral.campaign_version_id,
        "at": at,
    }


async def _set_status(
    session: Session, rewards: Sequence[Reward], status: RewardStatus, *, at: datetime
) -> None:
    values = {"ids": [reward.id for reward in rewards], "status": status, "at": at}
    await session.execute(_SET_STATUS, values)
    for reward in rewards:
        reward.status, reward.changed_at = status, at
        mark_written(session, reward, ("status", "changed_at"))


async def post_or_raise(
    session: Session, referral: ReferralRow, transfers: Sequence[Transfer], *, at: datetime
) -> None:
    posting = await funds_queue.post(session, referral, transfers, at=at)
    if posting is PostingOutcome.INSUFFICIENT:
        ids = ", ".join(str(transfer.id) for transfer in transfers)
        raise RuntimeError(f"an account lacks money that was reserved or counted: transfers {ids}")


def transfer_of(
    referral: ReferralRow,
    reward: Reward,
    movement: Movement,
    amount: Money | None = None,
    *,
    resolves: UUID | None = None,
) -> Transfer:
    """Return a transfer of the reward's whole amount, or of `amount`."""
    return Transfer(
        id=transfer_id(reward.id, movement, cycle=reward.cycle),
        movement=movement,
        amount=money_of(reward) if amount is None else amount,
        campaign_id=referral.campaign_id,
        player_id=reward.player_id,
        kind=reward.key.kind,
        reward_id=reward.id,
        referral_id=referral.id,
        resolves_hold_id=resolves,
    )


def transfers_of(
    referral: ReferralRow, reward: Reward, movement: Movement, amount: Money
) -> list[Transfer]:
    return [transfer_of(referral, reward, movement, amount)] if amount.minor else []


async def _releases(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, may_owe: bool = True
) -> list[Transfer]:
    transfers: list[Transfer] = []
    for reward in rewards:
        hold_id = hold_id_of(reward)
        transfers.append(transfer_of(referral, reward, Movement.RELEASE, resolves=hold_id))
        if may_owe:
            transfers += await recoveries_of(session, referral, reward, money_of(reward))
    return transfers
