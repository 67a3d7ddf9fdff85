"""Debts of players, and the transfers that recover them from later rewards of the same kind."""

from uuid import UUID, uuid5

from sqlalchemy import case, func, select, text

from db.engine import ReadSession, Session
from db.tables import ReferralRow, Reward, TransferRow
from domain.ledger.movements import Movement, Transfer
from domain.money import Money


async def load_debts(session: ReadSession, reward: Reward) -> list[tuple[tuple[UUID, UUID], int]]:
    """Return what the reward's player owes, oldest first: ((reward, campaign), minor units).

    Debts of cash and of bonus bets are apart: each is recovered from rewards of its kind.
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
        .join(Reward, Reward.id == TransferRow.reward_id)
        .where(
            TransferRow.player_id == reward.player_id,
            TransferRow.currency == reward.currency,
            Reward.kind.is_not_distinct_from(reward.kind),
            # Spelled out, so that the index of debts is used: a player's transfers may be many.
            text("transfers.movement in ('owe', 'recover', 'forgive')"),
        )
        .group_by(TransferRow.reward_id, TransferRow.campaign_id)
        .having(owed > 0)
        .order_by(func.min(TransferRow.recorded_at))
    )
    return [((row.reward_id, row.campaign_id), int(row.minor)) for row in rows]


async def recoveries_of(
    session: Session,
    referral: ReferralRow,
    reward: Reward,
    income: Money,
    *,
    excluding: UUID | None = None,
) -> list[Transfer]:
    """Return the transfers that recover, from `income`, what its player owes of other rewards."""
    left_minor, transfers = income.minor, []
    for (indebted_reward_id, campaign_id), owed_minor in await load_debts(session, reward):
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
                kind=reward.key.kind,
                reward_id=indebted_reward_id,
                referral_id=referral.id,
            )
        )
    return transfers
