"""Booking: the transfers that repeat in the ledger what a wallet has posted for rewards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db.engine import ReadSession, Session
from db.tables import ReferralRow, Reward
from domain.derived_ids import derived_id
from domain.ledger.movements import Movement, Transfer, split_reinstatement
from domain.money import Money
from domain.rewards.reward import RewardStatus
from referrals.campaigns import funds_queue
from referrals.ledger.posting import PostingOutcome
from referrals.rewards.adjustments import net_minor_of
from referrals.rewards.debts import load_debts
from referrals.rewards.transfers import (
    hold_id_of,
    post_or_raise,
    transfer_of,
    transfers_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder:
    """A payment order that the wallet has posted: what it was about, and the amount."""

    id: UUID
    gross: Money
    """The part of the reward that was asked for; a credit goes net of what its player owes."""
    posted: Money


async def book_credits(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    paid: Mapping[UUID, PaidOrder],
    *,
    at: datetime,
) -> None:
    """Release held rewards that the wallet has credited, and recover what it went net of.

    What was reserved beyond the credit that was asked for goes back to the campaign.
    """
    transfers: list[Transfer] = []
    lowered: list[Reward] = []
    for reward in rewards:
        order = paid[reward.id]
        release = transfer_of(referral, reward, Movement.RELEASE, resolves=hold_id_of(reward))
        beyond = Money(reward.amount_minor - order.gross.minor, reward.currency)
        recovered = Money(order.gross.minor - order.posted.minor, reward.currency)
        returned = transfers_of(referral, reward, Movement.REVERSE, beyond)
        transfers += [_by(order, transfer) for transfer in (release, *returned)]
        transfers += await _recoveries(session, referral, reward, recovered, order)
        if returned:
            reward.due_minor = order.gross.minor
            lowered.append(reward)
    await post_or_raise(session, referral, transfers, at=at)
    set_status(rewards, RewardStatus.ISSUED, at=at)
    _count_adjustment(lowered)


async def book_reinstatements(
    session: Session,
    referral: ReferralRow,
    rewards: Sequence[Reward],
    paid: Mapping[UUID, PaidOrder],
    *,
    at: datetime,
) -> PostingOutcome:
    """Reinstate what the wallet has credited again of rewards; of all of them, or none.

    The reward's own debt is forgiven first, as far as the credit went net of debts.
    """
    transfers: list[Transfer] = []
    stood_minor = await net_minor_of(session, rewards)
    for reward in rewards:
        order, whole = paid[reward.id], paid[reward.id].gross
        net = Money(whole.minor - order.posted.minor, whole.currency)
        owed_minor = dict(await load_debts(session, reward)).get((reward.id, referral.campaign_id))
        own = split_reinstatement(net, owed_minor=owed_minor or 0)
        given = Money(whole.minor - own.owed.minor, whole.currency)
        booked = [
            *transfers_of(referral, reward, Movement.FORGIVE, own.owed),
            *transfers_of(referral, reward, Movement.REINSTATE, given),
        ]
        transfers += [_by(order, transfer) for transfer in booked]
        transfers += await _recoveries(
            session, referral, reward, own.available, order, excluding=reward.id
        )
    posting = await funds_queue.post(session, referral, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        set_status(rewards, RewardStatus.ISSUED, at=at)
        _count_adjustment(rewards)
        for reward in rewards:
            if reward.computation is not None:
                reward.due_minor = stood_minor[reward.id] + paid[reward.id].gross.minor
    return posting


async def book_debit(
    session: Session, referral: ReferralRow, reward: Reward, order: PaidOrder, *, at: datetime
) -> None:
    """Recover what the wallet took of a player's debts, those of the reward itself first."""
    transfers = await _recoveries(session, referral, reward, order.posted, order)
    if transfers:
        await post_or_raise(session, referral, transfers, at=at)


async def owe(
    session: Session, referral: ReferralRow, owing: Mapping[Reward, int], *, at: datetime
) -> None:
    """Book what is taken back of credited rewards, in minor units, as owed.

    How much of it is there, the wallet will tell.
    """
    if not owing:
        return
    transfers = [
        transfer_of(referral, reward, Movement.OWE, Money(minor, reward.currency))
        for reward, minor in owing.items()
    ]
    await post_or_raise(session, referral, transfers, at=at)
    _count_adjustment(owing)
    for reward in owing:
        reward.changed_at = at


async def _recoveries(
    session: ReadSession,
    referral: ReferralRow,
    reward: Reward,
    amount: Money,
    order: PaidOrder,
    *,
    excluding: UUID | None = None,
) -> list[Transfer]:
    """Return transfers that recover exactly `amount`; RuntimeError where less is owed."""
    debts = [debt for debt in await load_debts(session, reward) if debt[0][0] != excluding]
    debts.sort(key=lambda debt: debt[0][0] != reward.id)
    left_minor, transfers = amount.minor, []
    for (indebted_id, campaign_id), owed_minor in debts:
        minor = min(left_minor, owed_minor)
        if minor:
            left_minor -= minor
            transfers.append(
                Transfer(
                    id=derived_id(order.id, Movement.RECOVER, str(indebted_id)),
                    movement=Movement.RECOVER,
                    amount=Money(minor, amount.currency),
                    campaign_id=campaign_id,
                    player_id=reward.player_id,
                    kind=reward.key.kind,
                    reward_id=indebted_id,
                    referral_id=referral.id,
                    reference=str(order.id),
                )
            )
    if left_minor:
        raise RuntimeError(f"payment order {order.id} recovers more than its player owes")
    return transfers


def _by(order: PaidOrder, transfer: Transfer) -> Transfer:
    return replace(transfer, reference=str(order.id))


def set_status(rewards: Iterable[Reward], status: RewardStatus, *, at: datetime) -> None:
    for reward in rewards:
        reward.status, reward.changed_at = status, at


def _count_adjustment(rewards: Iterable[Reward]) -> None:
    """Count the adjustment, which is part of the ids of the next one's transfers and orders."""
    for reward in rewards:
        reward.cycle += 1
