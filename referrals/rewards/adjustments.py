"""Adjustments: after crediting, the difference between what is due of a reward and what stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, select

from db.engine import ReadSession, Session
from db.tables import ReferralRow, Reward, TransferRow
from domain.campaigns.rules import RewardKey
from domain.ledger.movements import (
    Account,
    Book,
    Movement,
    Transfer,
    split_reinstatement,
    split_reversal,
)
from domain.money import Money
from domain.rewards.reward import RewardStatus
from referrals.campaigns import funds_queue
from referrals.ledger.account_locks import lock_accounts
from referrals.ledger.posting import PostingOutcome
from referrals.rewards.debts import load_debts, recoveries_of
from referrals.rewards.transfers import (
    post_or_raise,
    transfer_of,
    transfers_of,
)

_ADJUSTED: Final = frozenset({RewardStatus.ISSUED, RewardStatus.REVERSED})


async def adjust(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    due: Mapping[RewardKey, Money],
    *,
    at: datetime,
    stood_minor: Mapping[UUID, int] | None = None,
) -> PostingOutcome:
    """Post the difference between what is due of each reward and what stands credited.

    `stood_minor` is what stands, in minor units, where the caller has read it under the locks.

    What is no longer due is taken back as far as it is available, and owed otherwise. What is due
    again clears the reward's own debt first; all increases are posted, or none where the budget
    does not cover them. A reward that stands as it should is left alone.
    """
    net_minor = stood_minor or await net_minor_of(session, rewards)
    more = {r: due[r.key].minor - net_minor[r.id] for r in rewards}
    lowered = {reward: -minor for reward, minor in more.items() if minor < 0}
    raised = {reward: minor for reward, minor in more.items() if minor > 0}
    if lowered:
        await _take_back(session, referral, lowered, at=at)
        _set_adjusted(lowered, due, at=at)
    unmoved = [reward for reward, minor in more.items() if not minor]
    if not raised:
        _let_follow(unmoved, due, at=at)
        await funds_queue.pass_on(session, referral)
        return PostingOutcome.POSTED
    transfers = [t for r, minor in raised.items() for t in await _give(session, referral, r, minor)]
    posting = await funds_queue.post(session, referral, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _set_adjusted(raised, due, at=at)
        _let_follow(unmoved, due, at=at)
    return posting


async def net_minor_of(session: ReadSession, rewards: Sequence[Reward]) -> dict[UUID, int]:
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
        account = _available_account(reward)
        split = split_reversal(amount, available_minor=available_minor[account])
        available_minor[account] -= split.available.minor
        transfers += transfers_of(referral, reward, Movement.REVERSE, split.available)
        transfers += transfers_of(referral, reward, Movement.OWE, split.owed)
    await post_or_raise(session, referral, transfers, at=at)


async def _give(
    session: Session, referral: ReferralRow, reward: Reward, minor: int
) -> list[Transfer]:
    owed_minor = dict(await load_debts(session, reward)).get((reward.id, referral.campaign_id), 0)
    split = split_reinstatement(Money(minor, reward.currency), owed_minor=owed_minor)
    return [
        *transfers_of(referral, reward, Movement.FORGIVE, split.owed),
        *transfers_of(referral, reward, Movement.REINSTATE, split.available),
        *await recoveries_of(session, referral, reward, split.available, excluding=reward.id),
    ]


def _set_adjusted(
    rewards: Iterable[Reward], due: Mapping[RewardKey, Money], *, at: datetime
) -> None:
    """Count the adjustment, which is part of the ids of the next one's transfers.

    What is left of a computed reward may be nothing while that of the other side stands: it is
    ISSUED still, as the referral is REWARDED.
    """
    for reward in rewards:
        reward.cycle += 1
        _set_status(reward, due, at=at)


def _let_follow(unmoved: Iterable[Reward], due: Mapping[RewardKey, Money], *, at: datetime) -> None:
    """Give a reward of which nothing is due the status of the other side's, with no transfer."""
    for reward in unmoved:
        if reward.status in _ADJUSTED and reward.status is not _status_of(due):
            _set_status(reward, due, at=at)


def _set_status(reward: Reward, due: Mapping[RewardKey, Money], *, at: datetime) -> None:
    reward.status, reward.changed_at = _status_of(due), at
    if reward.computation is not None and reward.status is RewardStatus.ISSUED:
        reward.due_minor = due[reward.key].minor


def _status_of(due: Mapping[RewardKey, Money]) -> RewardStatus:
    is_any_due = any(amount.minor for amount in due.values())
    return RewardStatus.ISSUED if is_any_due else RewardStatus.REVERSED


async def _lock_available(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward]
) -> dict[Account, int]:
    """Lock all accounts that a reversal may move; return what is available, in minor units."""
    whole = [
        transfer_of(referral, reward, movement)
        for reward in rewards
        for movement in (Movement.REVERSE, Movement.OWE)
    ]
    accounts = {account for transfer in whole for arrow in transfer.arrows for account in arrow}
    balances = await lock_accounts(session, accounts)
    available = {_available_account(reward) for reward in rewards}
    return {account: balances[account] or 0 for account in available}


def _available_account(reward: Reward) -> Account:
    return Account(
        book=Book.AVAILABLE,
        currency=reward.currency,
        player_id=reward.player_id,
        kind=reward.key.kind,
    )
