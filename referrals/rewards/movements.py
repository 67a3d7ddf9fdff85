"""Rewards and what moves them: held, released, voided, reversed, reinstated."""

from collections.abc import Sequence
from datetime import datetime
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
from domain.rewards.promises import Promise, RewardStatus
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome


async def of_referral(session: ReadSession, referral_id: UUID) -> Sequence[Reward]:
    query = select(Reward).where(Reward.referral_id == referral_id)
    return (await session.scalars(query.order_by(Reward.reward_type))).all()


async def promise(
    session: Session,
    referral: ReferralRow,
    promised: Sequence[Promise],
    *,
    deposit_event_id: str,
    held_until: datetime,
    at: datetime,
) -> Sequence[Reward]:
    """Write each side's reward, or point one deferred before at the deposit that earns it now."""
    for side in promised:
        values = {
            "id": side.reward_id,
            "referral_id": referral.id,
            "reward_type": side.reward_type,
            "player_id": side.player_id,
            "amount_minor": side.amount.minor,
            "currency": side.amount.currency,
            "status": RewardStatus.DEFERRED,
            "held_until": held_until,
            "deposit_event_id": deposit_event_id,
            "campaign_version_id": referral.campaign_version_id,
            "assessment_id": referral.assessment_id,
            "created_at": at,
            "changed_at": at,
        }
        await session.execute(
            insert(Reward)
            .values(values)
            .on_conflict_do_update(
                index_elements=[Reward.id],
                set_={
                    "deposit_event_id": deposit_event_id,
                    "held_until": held_until,
                    "assessment_id": referral.assessment_id,
                },
            )
        )
    return await of_referral(session, referral.id)


async def hold(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> PostingOutcome:
    """Reserve every reward of the referral out of the campaign's budget, or none of them."""
    transfers = [_transfer(referral, reward, Movement.HOLD) for reward in rewards]
    posting = await ledger.post(session, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _mark(rewards, RewardStatus.HELD, at)
    return posting


async def credit(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> PostingOutcome:
    """Hold and release in one posting, where nothing is waited for; all of them or none."""
    holds = [_transfer(referral, reward, Movement.HOLD) for reward in rewards]
    releases = await _releases(session, referral, rewards)
    posting = await ledger.post(session, [*holds, *releases], at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _mark(rewards, RewardStatus.ISSUED, at)
    return posting


async def release(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Credit the held rewards; what their players owe is recovered from them first."""
    await _post_or_raise(session, await _releases(session, referral, rewards), at=at)
    _mark(rewards, RewardStatus.ISSUED, at)


async def void(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Give held rewards back to the campaign; deferred ones never took anything."""
    held = [reward for reward in rewards if reward.status is RewardStatus.HELD]
    transfers = [
        _transfer(referral, reward, Movement.VOID, resolves=transfer_id(reward.id, Movement.HOLD))
        for reward in held
    ]
    if transfers:
        await _post_or_raise(session, transfers, at=at)
    _mark(rewards, RewardStatus.VOID, at)


async def reverse(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> None:
    """Take back what is still there, and book the rest as owed."""
    available = await _lock_available(session, referral, rewards)
    transfers: list[Transfer] = []
    for reward in rewards:
        split = split_reversal(money_of(reward), available_minor=available[reward.id])
        transfers += _transfers_of(referral, reward, Movement.REVERSE, split.there)
        transfers += _transfers_of(referral, reward, Movement.OWE, split.debt)
    await _post_or_raise(session, transfers, at=at)
    for reward in rewards:
        reward.cycle += 1
    _mark(rewards, RewardStatus.REVERSED, at)


async def reinstate(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward], *, at: datetime
) -> PostingOutcome:
    """Give reversed rewards again: debts first, the rest to the balance; all of them or none."""
    transfers: list[Transfer] = []
    for reward in rewards:
        owed = dict(await _debts(session, reward)).get((reward.id, referral.campaign_id), 0)
        split = split_reinstatement(money_of(reward), owed_minor=owed)
        transfers += _transfers_of(referral, reward, Movement.FORGIVE, split.debt)
        transfers += _transfers_of(referral, reward, Movement.REINSTATE, split.there)
        transfers += await _recoveries(session, referral, reward, split.there, but_not=reward.id)
    posting = await ledger.post(session, transfers, at=at)
    if posting is not PostingOutcome.INSUFFICIENT:
        _mark(rewards, RewardStatus.ISSUED, at)
    return posting


async def _releases(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward]
) -> list[Transfer]:
    transfers: list[Transfer] = []
    for reward in rewards:
        hold_id = transfer_id(reward.id, Movement.HOLD)
        transfers.append(_transfer(referral, reward, Movement.RELEASE, resolves=hold_id))
        transfers += await _recoveries(session, referral, reward, money_of(reward))
    return transfers


def money_of(reward: Reward) -> Money:
    return Money(reward.amount_minor, reward.currency)


def _mark(rewards: Sequence[Reward], status: RewardStatus, at: datetime) -> None:
    for reward in rewards:
        reward.status, reward.changed_at = status, at


async def _post_or_raise(session: Session, transfers: Sequence[Transfer], *, at: datetime) -> None:
    if await ledger.post(session, transfers, at=at) is PostingOutcome.INSUFFICIENT:
        ids = ", ".join(str(transfer.id) for transfer in transfers)
        raise RuntimeError(f"an account lacks what was reserved or counted on: transfers {ids}")


def _transfer(
    referral: ReferralRow, reward: Reward, movement: Movement, *, resolves: UUID | None = None
) -> Transfer:
    return Transfer(
        id=transfer_id(reward.id, movement, cycle=reward.cycle),
        movement=movement,
        amount=money_of(reward),
        campaign_id=referral.campaign_id,
        player_id=reward.player_id,
        reward_id=reward.id,
        referral_id=referral.id,
        resolves_hold_id=resolves,
    )


def _transfers_of(
    referral: ReferralRow, reward: Reward, movement: Movement, amount: Money
) -> list[Transfer]:
    if not amount.minor:
        return []
    return [
        Transfer(
            id=transfer_id(reward.id, movement, cycle=reward.cycle),
            movement=movement,
            amount=amount,
            campaign_id=referral.campaign_id,
            player_id=reward.player_id,
            reward_id=reward.id,
            referral_id=referral.id,
        )
    ]


async def _lock_available(
    session: Session, referral: ReferralRow, rewards: Sequence[Reward]
) -> dict[UUID, int]:
    """Lock every account that the reversal may touch, in one go; what each reward's player has."""
    whole = [
        transfer
        for reward in rewards
        for movement in (Movement.REVERSE, Movement.OWE)
        for transfer in _transfers_of(referral, reward, movement, money_of(reward))
    ]
    accounts = {account for transfer in whole for arrow in transfer.arrows for account in arrow}
    balances = await ledger.lock_accounts(session, accounts)
    return {reward.id: balances[_available_account(reward)] or 0 for reward in rewards}


def _available_account(reward: Reward) -> Account:
    return Account(book=Book.AVAILABLE, currency=reward.currency, player_id=reward.player_id)


async def _debts(session: ReadSession, reward: Reward) -> list[tuple[tuple[UUID, UUID], int]]:
    """What the reward's player still owes, oldest first: ((reward, campaign), minor units).

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
    but_not: UUID | None = None,
) -> list[Transfer]:
    """Take from `income` what its player owes of other rewards."""
    left, transfers = income.minor, []
    for (debtor_id, campaign_id), owed in await _debts(session, reward):
        part = min(left, owed)
        if not part or debtor_id == but_not:
            continue
        left -= part
        transfers.append(
            Transfer(
                id=uuid5(reward.id, f"{Movement.RECOVER}:{debtor_id}:{reward.cycle}"),
                movement=Movement.RECOVER,
                amount=Money(part, income.currency),
                campaign_id=campaign_id,
                player_id=reward.player_id,
                reward_id=debtor_id,
                referral_id=referral.id,
            )
        )
    return transfers
