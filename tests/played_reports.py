"""A database in which referrals were rewarded, taken back, owed, and given again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from db.engine import Database
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.variants import Variant
from domain.intake.facts import TakeBack
from domain.money import Money
from referrals.campaigns.codes import record_share
from referrals.ledger.spending import spend
from stack.postgres import PostgresCluster
from tests.activities.queues import Queue, a_queue
from tests.activities.referral_acts import LATER
from tests.builders import NOW, TERMS, chargeback, unique, usd
from tests.fixtures.databases import DatabaseUrls, database_copy, open_database

NEXT_DAY: Final = NOW + timedelta(days=1)
LAST_DAY: Final = NOW + timedelta(days=2)
REWARD: Final = usd(1000)
VARIANTS: Final = tuple(Variant(name=name, weight=25) for name in ("a", "b", "c", "d"))
"""Variants of equal rewards, so that the split of the referrers changes no amount."""
RUNNABLE: Final = '=HYPERLINK("https://evil.example")'
"""A channel that a caller names, and a spreadsheet would run."""
FLAT: Final = {"minor": 700, "currency": "USD"}
COMPUTED: Final = replace(
    TERMS,
    minimum_deposit=usd(100),
    referrer_reward=usd(0),
    rules=Rules(
        rewards=read_rewards(
            [
                {"to": "referrer", "amount": {"percent": "10"}},
                {"to": "referee", "kind": "bonus_bet", "amount": {"flat": FLAT}},
            ],
            "terms.rewards",
            currency="USD",
        )
    ),
)
"""Terms with a percentage, which a partial refund lowers, beside a sum that it leaves alone."""


@dataclass(frozen=True, slots=True)
class Played:
    """The database, and the campaigns that were played in it."""

    urls: DatabaseUrls
    database: Database
    spring: Queue
    """Rewarded, reversed, owed, recovered, forgiven and reinstated rewards."""
    held: Queue
    """Rewards of both sides, held."""
    computed: Queue
    """Percentages, lowered by refunds, raised again, and taken back."""

    @property
    def slug(self) -> str:
        return self.spring.offer.campaign.slug


@asynccontextmanager
async def play(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Played]:
    """Play the campaigns in a database of their own."""
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
    ):
        spring = await a_queue(database, budget=100_000, variants=VARIANTS)
        terms = replace(TERMS, hold_period=timedelta(days=5))
        held = await a_queue(database, budget=50_000, terms=terms)
        await _play(spring)
        await held.qualifies()
        computed = await a_queue(database, budget=50_000, terms=COMPUTED)
        await _play_computed(computed)
        waiting = replace(COMPUTED, hold_period=timedelta(hours=12))
        await _play_waiting(await a_queue(database, budget=50_000, terms=waiting))
        yield Played(urls, database, spring, held, computed)


async def _play(queue: Queue) -> None:
    """Let one reward stand, one be taken back, one be owed and recovered, and one won again."""
    standing, taken_back, reinstated, owed, forgiven = [await queue.qualifies() for _ in range(5)]
    await _share(queue, standing)
    await _takes_back(queue, taken_back, at=NEXT_DAY)
    await _takes_back(queue, reinstated, at=NEXT_DAY)
    await _gives_back(queue, reinstated, at=LAST_DAY)
    for referral_id in (owed, forgiven):
        await _spends(queue, referral_id)
        await _takes_back(queue, referral_id, at=NEXT_DAY)
    await queue.qualifies(referrer_id=queue.acts[owed].row.referrer_id)
    await _gives_back(queue, forgiven, at=LAST_DAY)
    await queue.deposits()


async def _play_computed(queue: Queue) -> None:
    """Let refunds lower percentages, also a spent one; one rises again, one is taken back."""
    _, raised, taken_back, spent = [await queue.qualifies() for _ in range(4)]
    await _spends(queue, spent, amount=usd(100))
    for referral_id in queue.acts:
        await _refunds(queue, referral_id, TakeBack.REFUND, at=NEXT_DAY)
    await _refunds(queue, raised, TakeBack.REFUND_FAILED, at=LAST_DAY)
    await _takes_back(queue, taken_back, at=LAST_DAY)


async def _play_waiting(queue: Queue) -> None:
    """Let a partial refund lower a percentage before it is credited."""
    referral_id = await queue.qualifies()
    await _refunds(queue, referral_id, TakeBack.REFUND, at=NEXT_DAY)


async def _refunds(queue: Queue, referral_id: UUID, kind: TakeBack, *, at: datetime) -> None:
    fact = chargeback(queue.paid[referral_id], kind, amount=usd(600), dispute_id=f"r-{referral_id}")
    await queue.acts[referral_id].receives(fact)
    await queue.acts[referral_id].wake(at=at)


async def _share(queue: Queue, referral_id: UUID) -> None:
    async with queue.database.transaction() as session:
        for channel in ("whatsapp", RUNNABLE[:32]):
            code = queue.acts[referral_id].row.code
            await record_share(session, code=code, channel=channel, at=NOW)


async def _spends(queue: Queue, referral_id: UUID, *, amount: Money = REWARD) -> None:
    player_id = queue.acts[referral_id].row.referrer_id
    async with queue.database.transaction() as session:
        await spend(session, player_id=player_id, amount=amount, reference=unique("b"), at=LATER)


async def _takes_back(queue: Queue, referral_id: UUID, *, at: datetime) -> None:
    await queue.takes_back(referral_id)
    await queue.acts[referral_id].wake(at=at)


async def _gives_back(queue: Queue, referral_id: UUID, *, at: datetime) -> None:
    await queue.takes_back(referral_id, TakeBack.CHARGEBACK_WON)
    await queue.acts[referral_id].wake(at=at)
