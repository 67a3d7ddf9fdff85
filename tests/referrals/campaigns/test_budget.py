"""Budgets: each fund and each taking back counts once per reference, whatever the reference."""

from uuid import uuid5

import pytest
from sqlalchemy import select

from db.engine import Database, Session
from db.tables import Campaign
from domain.ledger.movements import Movement, Transfer
from referrals.campaigns import budget
from referrals.campaigns.budget import BudgetOutcome, Funding
from referrals.ledger.posting import PostingOutcome, post
from tests.builders import NOW, an_offer, fund, usd


@pytest.mark.parametrize("reference", ["1", "publish", "first budget", "rest", "4/fund1/1"])
@pytest.mark.parametrize("movement", [Movement.FUND, Movement.DEFUND])
async def test_every_reference_counts_once_on_the_default_campaign(
    fresh_database: Database, reference: str, movement: Movement
) -> None:
    async with fresh_database.transaction() as session:
        row = await _default(session)
        outcomes = [
            await _move(session, row, movement, minor, reference) for minor in (700, 700, 701)
        ]
        assert outcomes == [
            BudgetOutcome.POSTED,
            BudgetOutcome.ALREADY_POSTED,
            BudgetOutcome.REFERENCE_CONFLICT,
        ]
        await session.rollback()


async def test_the_amount_of_the_first_budget_is_no_repeat_of_it(
    fresh_database: Database,
) -> None:
    async with fresh_database.transaction() as session:
        row = await _default(session)
        outcome = await _move(session, row, Movement.FUND, 10_000_000, "1")
        assert outcome is BudgetOutcome.POSTED
        await session.rollback()


async def test_funding_by_release_0_2_is_still_the_same_and_known_to_it(
    database: Database,
) -> None:
    async with database.transaction() as session:
        row = (await an_offer(session, budget=usd(0))).campaign
        by_0_2 = Transfer(
            id=uuid5(row.id, "fund:a:b"),
            movement=Movement.FUND,
            amount=usd(700),
            campaign_id=row.id,
        )
        await post(session, [by_0_2], at=NOW, reference="a:b")
        known = await _move(session, row, Movement.FUND, 700, "a:b")
        assert known is BudgetOutcome.ALREADY_POSTED
        await _move(session, row, Movement.FUND, 700, "c")
        again = Transfer(
            id=uuid5(row.id, "fund:c"), movement=Movement.FUND, amount=usd(700), campaign_id=row.id
        )
        assert await post(session, [again], at=NOW) is PostingOutcome.ALREADY_POSTED
        await session.rollback()


async def test_no_more_is_taken_back_than_is_free(database: Database) -> None:
    async with database.transaction() as session:
        row = (await an_offer(session, budget=usd(0))).campaign
        await fund(session, row, usd(700))
        assert await _move(session, row, Movement.DEFUND, 701, "1") is BudgetOutcome.INSUFFICIENT
        assert await _move(session, row, Movement.DEFUND, 700, "1") is BudgetOutcome.POSTED
        assert await _move(session, row, Movement.DEFUND, 700, "1") is BudgetOutcome.ALREADY_POSTED
        await session.rollback()


async def _default(session: Session) -> Campaign:
    return (await session.scalars(select(Campaign).where(Campaign.slug == "default"))).one()


async def _move(
    session: Session, row: Campaign, movement: Movement, minor: int, reference: str
) -> BudgetOutcome:
    funding = Funding(usd(minor), reference)
    return await budget.post_funding(session, row, movement, funding, at=NOW)
