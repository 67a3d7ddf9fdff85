"""Stored state of players, campaigns and referrals, for tests to compare."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from db.engine import Database, ReadSession
from db.tables import (
    Campaign,
    CampaignVersion,
    ReferralRow,
    Reward,
    TimelineRow,
    TransferRow,
)
from domain.ledger.movements import Account, Book, Movement
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from referrals.ledger import balances
from referrals.verification.verify import verify_database
from tests.builders import NOW, Offer


@dataclass(frozen=True, slots=True)
class Balances:
    """A player's dollar accounts, in minor units; a debt is negative."""

    available: int = 0
    held: int = 0
    owed: int = 0


async def player_balances(database: Database, player_id: str) -> Balances:
    return Balances(
        **{
            book.value: await balance(database, book, player_id=player_id)
            for book in (Book.AVAILABLE, Book.HELD, Book.OWED)
        }
    )


async def budget(database: Database, campaign_id: UUID) -> int:
    return await balance(database, Book.CAMPAIGN, campaign_id=campaign_id)


async def balance(
    database: Database, book: Book, *, player_id: str | None = None, campaign_id: UUID | None = None
) -> int:
    account = Account(book=book, currency="USD", player_id=player_id, campaign_id=campaign_id)
    async with database.reading() as session:
        return await balances.balance_minor(session, account)


async def referral(database: Database, referral_id: UUID) -> ReferralRow:
    async with database.reading() as session:
        return await session.get_one(ReferralRow, referral_id)


async def movements(database: Database, referral_id: UUID) -> list[Movement]:
    """Return the movements that the referral's acts posted, in order."""
    query = select(TransferRow.movement).where(TransferRow.referral_id == referral_id)
    async with database.reading() as session:
        return list(await session.scalars(query.order_by(TransferRow.at, TransferRow.recorded_at)))


async def stages(database: Database, referral_id: UUID) -> list[Stage]:
    query = select(TimelineRow.stage).where(TimelineRow.referral_id == referral_id)
    async with database.reading() as session:
        return list(await session.scalars(query.order_by(TimelineRow.step)))


async def reason(database: Database, referral_id: UUID) -> str | None:
    """Return the reason of the referral's last change of stage."""
    query = select(TimelineRow.reason).where(TimelineRow.referral_id == referral_id)
    async with database.reading() as session:
        return await session.scalar(query.order_by(TimelineRow.step.desc()).limit(1))


async def rewards(database: Database, referral_id: UUID) -> dict[str, RewardStatus]:
    query = select(Reward).where(Reward.referral_id == referral_id)
    async with database.reading() as session:
        return {row.reward_type.value: row.status for row in await session.scalars(query)}


async def violated_invariants(
    database: Database, *, as_of: datetime = NOW
) -> dict[str, tuple[str, ...]]:
    """Return the violated invariants with the rows that violate them.

    What is delivered has been acted on here; the tests' own clock decides what is overdue.
    """
    report = await verify_database(database, as_of=as_of, settling=timedelta(0))
    return {check.name: check.failures for check in report.checks if not check.ok}


async def offer_of(session: ReadSession, row: ReferralRow) -> Offer:
    """Return the offer of a referral, to open another referral under it."""
    campaign = await session.get_one(Campaign, row.campaign_id)
    return Offer(campaign, await session.get_one(CampaignVersion, row.campaign_version_id))
