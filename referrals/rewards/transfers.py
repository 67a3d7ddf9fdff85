"""Rewards and the transfers that hold, release, void, reverse and reinstate them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import ReferralRow, Reward, TransferRow
from domain.ledger.movements import (
    Account,
    Book,
    Movement,
    Transfer,
    split_reinstatement,
    split_reversal,
    transfer_id,
)
from domain.money import Money
from domain.rewards.reward import PromisedReward, RewardStatus, RewardType
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome


async def rewards_of_referral(session: ReadSession, referral_id: UUID) -> Sequence[Reward]:
    query = select(Reward).where(Reward.referral_id == referral_id)
    return (await session.scalars(query.order_by(Reward.reward_type))).all()


def money_of(reward: Reward) -> Money:
    return Money(reward.amount_minor, reward.currency)


async def write_promised(
    session: Session,
    referral: ReferralRow,
    promised: Sequence[PromisedReward],
    *,
    qualification_id: UUID,
    deposit_event_id: str,
    held_until: datetime,
    at: datetime,
) -> Sequence[Reward]:
    """Write each promised reward, or point an unpaid one to the qualification that earns it now.

    RuntimeError when a stored reward has another amount than its terms promise.
    """
    earned = {
        "qualification_id": qualification_id,
        "deposit_event_id": deposit_event_id,
        "held_until": held_until,
        "assessment_id": referral.assessment_id,
    }
    for reward in promised:
        values = _deferred_values(referral, reward, at=at) | earned
        statement = insert(Reward).values(values)
        await session.execute(
            statement.on_conflict_do_update(index_elements=[Reward.id], set_=earned)
        )
    written = await rewards_of_referral(session, referral.id)
    stored = {(reward.id, reward.player_id, money_of(reward)) for reward in written}
    if stored != {(reward.reward_id, reward.player_id, reward.amount) for reward in promised}:
        raise RuntimeError(f"the rewards of referral {referral.id} are not what its terms promise")
    return written


async def hold(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> PostingOutcome:
    """Reserve every reward of the referral out of the campaign's budget, or none of them."""
    transfers = [_transfer(referral, reward, Movement.HOLD) for reward in rewards]
    posting = await ledger.post(session, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _set_status(rewards, RewardStatus.HELD, at=at)
    return posting


async def credit(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> PostingOutcome:
    """Hold and release in one posting, where no hold is needed; all rewards or none."""
    holds = [_transfer(referral, reward, Movement.HOLD) for reward in rewards]
    releases = await _releases(session, referral, rewards)
    posting = await ledger.post(session, [*holds, *releases], at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _set_status(rewards, RewardStatus.ISSUED, at=at)
    return posting


async def release(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Credit the held rewards, and recover from them first what their players owe."""
    await _post_or_raise(session, await _releases(session, referral, rewards), at=at)
    _set_status(rewards, RewardStatus.ISSUED, at=at)


async def void(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Give held rewards back to the campaign; deferred ones have no money reserved."""
    held = [reward for reward in rewards if reward.status is RewardStatus.HELD]
    transfers = [
        _transfer(referral, reward, Movement.VOID, resolves=transfer_id(reward.id, Movement.HOLD))
        for reward in held
    ]
    if transfers:
        await _post_or_raise(session, transfers, at=at)
    _set_status(rewards, RewardStatus.VOID, at=at)


async def adjust(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    due: Mapping[RewardType, Money],
    *,
    at: datetime,
) -> PostingOutcome:
    """Post the difference between what is due of each reward and what stands credited.

    What is no longer due is taken back as far as it is available, and owed otherwise. What is due
    again clears the reward's own debt first; all increases are posted, or none where the budget
    does not cover them. A reward that stands as it should is left alone.
    """
    net_minor = await _net_minor(session, rewards)
    more = {r: due[r.reward_type].minor - net_minor[r.id] for r in rewards}
    lowered = {reward: -minor for reward, minor in more.items() if minor < 0}
    raised = {reward: minor for reward, minor in more.items() if minor > 0}
    if lowered:
        await _take_back(session, referral, lowered, at=at)
        _set_adjusted(lowered, due, at=at)
    if not raised:
        return PostingOutcome.POSTED
    transfers = [t for r, minor in raised.items() for t in await _give(session, referral, r, minor)]
    posting = await ledger.post(session, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _set_adjusted(raised, due, at=at)
    return posting


async def _net_minor(session: ReadSession, rewards: Sequence[Reward]) -> dict[UUID, int]:
    """Return what stands credited of each reward, in minor units."""
    minus = TransferRow.movement.in_([Movement.REVERSE, Movement.OWE])
    net = func.sum(case((minus, -TransferRow.amount_minor), else_=TransferRow.amount_minor))
    credits_ = [Movement.RELEASE, Movement.REINSTATE, Movement.FORGIVE]
    rows = await session.execute(
        select(TransferRow.reward_id, net)
        .where(
            TransferRow.reward_id.in_([reward.id for reward in rewards]),
            TransferRow.movement.in_([*credits_, Movement.REVERSE, Movement.OWE]),
        )
        .group_by(TransferRow.reward_id)
    )
    found = {reward_id: int(minor) for reward_id, minor in rows}
    return {reward.id: found.get(reward.id, 0) for reward in rewards}


async def _take_back(
    session: Session, referral: ReferralRow, lowered: Mapping[Reward, int], *, at: datetime
) -> None:
    available_minor = await _lock_available(session, referral, list(lowered))
    transfers: list[Transfer] = []
    for reward, minor in lowered.items():
        amount = Money(minor, reward.currency)
        split = split_reversal(amount, available_minor=available_minor[reward.player_id])
        available_minor[reward.player_id] -= split.available.minor
        transfers += _transfers_of(referral, reward, Movement.REVERSE, split.available)
        transfers += _transfers_of(referral, reward, Movement.OWE, split.owed)
    await _post_or_raise(session, transfers, at=at)


async def _give(
    session: Session, referral: ReferralRow, reward: Reward, minor: int
) -> list[Transfer]:
    owed_minor = dict(await _debts(session, reward)).get((reward.id, referral.campaign_id), 0)
    split = split_reinstatement(Money(minor, reward.currency), owed_minor=owed_minor)
    return [
        *_transfers_of(referral, reward, Movement.FORGIVE, split.owed),
        *_transfers_of(referral, reward, Movement.REINSTATE, split.available),
        *await _recoveries(session, referral, reward, split.available, excluding=reward.id),
    ]


def _set_adjusted(
    rewards: Iterable[Reward], due: Mapping[RewardType, Money], *, at: datetime
) -> None:
    """Count the adjustment, which is part of the ids of the next one's transfers."""
    for reward in rewards:
        reward.cycle += 1
        is_due = due[reward.reward_type].minor > 0
        reward.status = RewardStatus.ISSUED if is_due else RewardStatus.REVERSED
        reward.changed_at = at


def _deferred_values(
    referral: ReferralRow, promised: PromisedReward, *, at: datetime
) -> dict[str, Any]:
    return {
        "id": promised.reward_id,
        "referral_id": referral.id,
        "reward_type": promised.reward_type,
        "player_id": promised.player_id,
        "amount_minor": promised.amount.minor,
        "currency": promised.amount.currency,
        "status": RewardStatus.DEFERRED,
        "campaign_version_id": referral.campaign_version_id,
        "created_at": at,
        "changed_at": at,
    }


def _set_status(rewards: Sequence[Reward], status: RewardStatus, *, at: datetime) -> None:
    for reward in rewards:
        reward.status, reward.changed_at = status, at


async def _post_or_raise(session: Session, transfers: Sequence[Transfer], *, at: datetime) -> None:
    if await ledger.post(session, transfers, at=at) is PostingOutcome.INSUFFICIENT:
        ids = ", ".join(str(transfer.id) for transfer in transfers)
        raise RuntimeError(f"an account lacks money that was reserved or counted: transfers {ids}")


def _transfer(
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
        reward_id=reward.id,
        referral_id=referral.id,
        resolves_hold_id=resolves,
    )


def _transfers_of(
    referral: ReferralRow, reward: Reward, movement: Movement, amount: Money
) -> list[Transfer]:
    return [_transfer(referral, reward, movement, amount)] if amount.minor else []


async def _releases(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward]
) -> list[Transfer]:
    transfers: list[Transfer] = []
    for reward in rewards:
        hold_id = transfer_id(reward.id, Movement.HOLD)
        transfers.append(_transfer(referral, reward, Movement.RELEASE, resolves=hold_id))
        transfers += await _recoveries(session, referral, reward, money_of(reward))
    return transfers


async def _lock_available(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward]
) -> dict[str, int]:
    """Lock all accounts that a reversal may move; return each player's available minor units."""
    whole = [
        _transfer(referral, reward, movement)
        for reward in rewards
        for movement in (Movement.REVERSE, Movement.OWE)
    ]
    accounts = {account for transfer in whole for arrow in transfer.arrows for account in arrow}
    balances = await ledger.lock_accounts(session, accounts)
    return {reward.player_id: balances[_available_account(reward)] or 0 for reward in rewards}


def _available_account(reward: Reward) -> Account:
    return Account(book=Book.AVAILABLE, currency=reward.currency, player_id=reward.player_id)


async def _debts(session: ReadSession, reward: Reward) -> list[tuple[tuple[UUID, UUID], int]]:
    """Return what the reward's player owes, oldest first: ((reward, campaign), minor units).

    Stable while the player's row is locked, because every act on debts locks it.
    """
    owed = func.sum(
        case(
            (TransferRow.movement == Movement.OWE, TransferRow.amount_minor),
            else_=-TransferRow.amount_minor,
        )
    )
    rows = await session.execute(
        select(TransferRow.reward_id, TransferRow.campaign_id, owed.label("minor"))
        .where(
            TransferRow.player_id == reward.player_id,
            TransferRow.currency == reward.currency,
            TransferRow.movement.in_([Movement.OWE, Movement.RECOVER, Movement.FORGIVE]),
        )
        .group_by(TransferRow.reward_id, TransferRow.campaign_id)
        .having(owed > 0)
        .order_by(func.min(TransferRow.recorded_at))
    )
    return [((row.reward_id, row.campaign_id), int(row.minor)) for row in rows]


async def _recoveries(
    session: Session,
    referral: ReferralRow,
    reward: Reward,
    income: Money,
    *,
    excluding: UUID | None = None,
) -> list[Transfer]:
    """Return the transfers that recover, from `income`, what its player owes of other rewards."""
    left_minor, transfers = income.minor, []
    for (indebted_reward_id, campaign_id), owed_minor in await _debts(session, reward):
        minor = min(left_minor, owed_minor)
        if not minor or indebted_reward_id == excluding:
            continue
        left_minor -= minor
        transfers.append(
            Transfer(
                id=uuid5(reward.id, f"{Movement.RECOVER}:{indebted_reward_id}:{reward.cycle}"),
                movement=Movement.RECOVER,
                amount=Money(minor, income.currency),
                campaign_id=campaign_id,
                player_id=reward.player_id,
                reward_id=indebted_reward_id,
                referral_id=referral.id,
            )
        )
    return transfers
