"""A budget that many acts spend at once: all of it is granted, and not a unit more."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.engine import Database
from db.tables import ReferralRow, Reward
from referrals.campaigns import funding
from referrals.campaigns.budget import Funding
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import transfers as rewards
from sandbox.benchmarks.budgets.shards import copy_referral
from tests import state
from tests.activities.queues import MARKETER
from tests.builders import NOW, Offer, a_bound_referral, an_offer, unique, usd
from tests.fixtures.databases import DatabaseUrls

ASKED: Final = int(os.environ.get("BUDGET_ASKED", "240"))
"""Rewards that are asked for; five of eight are paid. 8000 before a release."""
GRANTED: Final = ASKED * 5 // 8
WORKERS: Final = int(os.environ.get("BUDGET_WORKERS", "16"))
SHARDS: Final = 16
REMAINDER_MINOR: Final = 370
"""Left of a budget that is no multiple of a reward."""
REFILLS: Final = 5
PATIENCE_S: Final = 600
PATIENCE: Final = text(f"set local statement_timeout = '{PATIENCE_S}s'")
"""All workers wait for one row at the beginning and at the end, on a machine that may be slow."""

# At each commit that touches the budget: its parts are what its entries sum to, and not negative.
WATCH: Final = (
    """
    CREATE FUNCTION watch_budget() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
        account uuid := coalesce(to_jsonb(NEW) ->> 'account_id', to_jsonb(NEW) ->> 'id')::uuid;
        free bigint;
        entered numeric;
    BEGIN
        SELECT b.free_minor, (SELECT sum(amount_minor) FROM entries WHERE account_id = account)
          INTO free, entered FROM campaign_budgets b WHERE b.account_id = account;
        IF free < 0 OR free <> entered THEN
            RAISE EXCEPTION 'the budget is %, and its entries sum to %', free, entered;
        END IF;
        RETURN NULL;
    END
    $$
    """,
    *(
        f"""
        CREATE CONSTRAINT TRIGGER watch_budget AFTER {event} ON {table}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION watch_budget()
        """
        for event, table in (
            ("INSERT", "entries"),
            ("UPDATE", "accounts"),
            ("INSERT OR UPDATE", "budget_shards"),
        )
    ),
)


@pytest.fixture
async def watched(fresh_urls: DatabaseUrls, fresh_superuser: Database) -> AsyncIterator[Database]:
    async with fresh_superuser.transaction() as session:
        for statement in WATCH:
            await session.execute(text(statement))
    database = Database(fresh_urls.application, pool_size=WORKERS + 2, command_timeout_s=PATIENCE_S)
    yield database
    await database.close()


@pytest.mark.timeout(0)
async def test_a_budget_is_granted_to_the_last_reward_and_no_further(
    watched: Database, fresh_urls: DatabaseUrls
) -> None:
    offer, asked = await _asked(watched, fresh_urls, GRANTED)

    outcomes = await _ask(watched, asked)

    assert outcomes == {
        PostingOutcome.POSTED: GRANTED,
        PostingOutcome.INSUFFICIENT: ASKED - GRANTED,
    }
    assert await state.budget(watched, offer.campaign.id) == REMAINDER_MINOR


@pytest.mark.timeout(0)
async def test_refills_that_race_the_exhaustion_are_granted_to_the_last_reward(
    watched: Database, fresh_urls: DatabaseUrls
) -> None:
    at_first, each = GRANTED // 2, GRANTED // 2 // REFILLS
    offer, asked = await _asked(watched, fresh_urls, at_first)
    granted = at_first + each * REFILLS
    refused: asyncio.Queue[UUID] = asyncio.Queue()

    async def refill() -> list[UUID]:
        seen = []
        for _ in range(REFILLS):
            seen.append(await refused.get())
            await _fund(watched, offer, each)
        return seen

    filling = asyncio.create_task(refill())
    outcomes = await _ask(watched, asked, refused)
    left = [*await filling, *(refused.get_nowait() for _ in range(refused.qsize()))]
    again = await _ask(watched, left)

    assert outcomes[PostingOutcome.POSTED] + again[PostingOutcome.POSTED] == granted
    assert await state.budget(watched, offer.campaign.id) == REMAINDER_MINOR


async def _asked(
    database: Database, urls: DatabaseUrls, granted: int
) -> tuple[Offer, Sequence[UUID]]:
    """Build a campaign that can grant so many rewards, and those that are asked for."""
    async with database.transaction() as session:
        offer = await an_offer(session, budget=usd(1000 * granted + REMAINDER_MINOR))
        template = await a_bound_referral(session, offer)
    async with database.transaction() as session:
        await funding.spread_budgets(session, offer.campaign.slug, SHARDS, MARKETER)
    dsn = make_url(urls.superuser).set(drivername="postgresql")
    superuser_dsn = dsn.render_as_string(hide_password=False)
    return offer, await copy_referral(
        superuser_dsn, template.id, count=ASKED, series=offer.campaign.slug
    )


async def _ask(
    database: Database, asked: Sequence[UUID], refused: asyncio.Queue[UUID] | None = None
) -> Counter[PostingOutcome]:
    """Reserve the rewards, by workers that take the next one each; note those refused."""
    outcomes: Counter[PostingOutcome] = Counter()
    left = iter(asked)

    async def work() -> None:
        for reward_id in left:
            outcome = await _reserve(database, reward_id)
            outcomes[outcome] += 1
            if outcome is PostingOutcome.INSUFFICIENT and refused is not None:
                refused.put_nowait(reward_id)

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return outcomes


async def _reserve(database: Database, reward_id: UUID) -> PostingOutcome:
    async with database.transaction() as session:
        await session.execute(PATIENCE)
        reward = await session.get_one(Reward, reward_id)
        referral = await session.get_one(ReferralRow, reward.referral_id)
        return await rewards.hold(session, referral, [reward], at=NOW)


async def _fund(database: Database, offer: Offer, granted: int) -> None:
    refill = Funding(usd(1000 * granted), unique("refill"))
    async with database.transaction() as session:
        await session.execute(PATIENCE)
        await funding.fund_campaign(session, offer.campaign.slug, refill, MARKETER, at=NOW)
