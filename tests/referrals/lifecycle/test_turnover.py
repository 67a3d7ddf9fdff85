"""Turnover from totals of days: the same total and the same time as by all stakes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from courier.route_player import route_player
from db.engine import Database, Session
from db.migrate import downgrade, upgrade
from db.tables import ReferralRow
from domain.campaigns.rules import QualifyingAction, Rules
from domain.campaigns.terms import Terms
from domain.intake.facts import Signup, Wager
from domain.money import LARGEST_MINOR, Money
from domain.rewards.circumstances import Turnover
from referrals.campaigns.versions import terms_json
from referrals.intake import facts
from referrals.intake.facts import Report
from referrals.lifecycle.turnover import load_turnovers
from referrals.verification.verify import verify_database
from tests.activities.campaigns.ruled import leaf, ruled
from tests.builders import NOW, TERMS, TOKENS, a_code, an_offer, signup, unique, usd
from tests.fixtures.databases import DatabaseUrls, open_database

WINDOW: Final = timedelta(days=2, hours=7)
TICK: Final = timedelta(microseconds=1)
EDGES: Final = (
    timedelta(0),
    -TICK,
    WINDOW,
    WINDOW + TICK,
    timedelta(hours=12) - TICK,
    timedelta(hours=12),
    timedelta(hours=-12),
    WINDOW - timedelta(hours=7),
    WINDOW + timedelta(hours=5) - TICK,
    WINDOW + timedelta(hours=5),
)
"""Offsets from a signup at noon: the ends of the window, and of the days of its ends."""
CURRENCIES: Final = ("EUR", "USD")


@dataclass(frozen=True)
class Bet:
    """A bet by its time from the signup; `copies` are recorded beside it."""

    offset: timedelta
    minor: int
    currency: str
    copies: int


BETS: Final = st.lists(
    st.builds(
        Bet,
        offset=st.sampled_from(EDGES)
        | st.integers(-130_000, 330_000).map(lambda seconds: timedelta(seconds=seconds)),
        minor=st.integers(1, 60),
        currency=st.sampled_from(CURRENCIES),
        copies=st.sampled_from((0, 0, 1)),
    ),
    max_size=14,
)


def terms_in(currency: str, wanted: int) -> Terms:
    minimum, turnover = Money(1000, currency), Money(wanted, currency)
    rules = Rules(turnover=turnover)
    return replace(TERMS, minimum_deposit=minimum, deposit_window=WINDOW, rules=rules)


def by_all_stakes(stakes: Sequence[Wager], terms: Terms, *, signed_up_at: datetime) -> Turnover:
    """Add up each stake in the order in which they were made."""
    wanted, currency = terms.rules.turnover, terms.minimum_deposit.currency
    total, reached_at = 0, None
    for one in sorted(stakes, key=lambda stake: stake.occurred_at):
        is_in_time = signed_up_at <= one.occurred_at <= signed_up_at + terms.deposit_window
        if is_in_time and one.stake.currency == currency:
            total += one.stake.minor
            if wanted and reached_at is None and total >= wanted.minor:
                reached_at = one.occurred_at
    return Turnover(Money(total, currency), reached_at)


async def record(session: Session, stakes: Sequence[Wager]) -> None:
    reports = [Report(fact=one, player_id=one.player_id) for one in stakes]
    await facts.record_facts(session, reports, door="kafka")


async def sign_up(session: Session, arrival: Signup) -> ReferralRow:
    await facts.record_fact(session, arrival, player_id=arrival.player_id, door="http")
    await route_player(session, arrival.player_id, tokens=TOKENS, now=NOW)
    query = select(ReferralRow).where(ReferralRow.referee_id == arrival.player_id)
    return (await session.scalars(query)).one()


@given(
    bets=BETS,
    early=st.integers(0, 14),
    wanted=st.integers(1, 150),
    of_referral=st.sampled_from((TERMS, terms_in("USD", 1))),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_the_turnover_by_totals_is_that_by_all_stakes(
    database: Database, bets: list[Bet], early: int, wanted: int, of_referral: Terms
) -> None:
    """Record `early` of the bets before the signup is bound to terms that ask, or do not."""
    async with Session(database.engine) as session:
        code = await a_code(session, await an_offer(session, terms=of_referral))
        arrival = signup(code=code.code)
        stakes = [
            Wager(
                event_id=unique("wager"),
                occurred_at=NOW + bet.offset,
                player_id=arrival.player_id,
                stake=Money(bet.minor, bet.currency),
            )
            for bet in bets
        ]
        copied = [one for one, bet in zip(stakes, bets, strict=True) for _ in range(bet.copies)]
        await record(session, stakes[:early])
        row = await sign_up(session, arrival)
        await record(session, [*stakes[early:], *copied])
        await record(session, copied)

        for currency in CURRENCIES:
            terms = terms_in(currency, wanted)
            expected = by_all_stakes(stakes, terms, signed_up_at=NOW)
            found = (await load_turnovers(session, {row.id: terms})).get(row.id, {})
            assert found.get(currency, Turnover(Money(0, currency))) == expected
        await session.rollback()


async def test_a_sum_beyond_what_can_be_stated_reaches_the_turnover(database: Database) -> None:
    terms = ruled(turnover=usd(LARGEST_MINOR))
    async with database.transaction() as session:
        code = await a_code(session, await an_offer(session, terms=terms))
        row = await sign_up(session, signup(code=code.code))
        made = bets_of(row, [timedelta(minutes=number) for number in range(1, 4)])
        await record(session, [replace(one, stake=usd(LARGEST_MINOR // 2 + 1)) for one in made])
        found = await load_turnovers(session, {row.id: terms})

    assert found[row.id]["USD"] == Turnover(usd(LARGEST_MINOR), NOW + timedelta(minutes=2))


async def test_an_upgrade_adds_up_what_was_recorded_before(empty_urls: DatabaseUrls) -> None:
    terms = terms_in("USD", 20)
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        async with database.transaction() as session:
            code = await a_code(session, await an_offer(session, terms=terms))
            row = await sign_up(session, signup(code=code.code))
            other = await sign_up(session, signup(code=code.code))
            for one in (row, other):
                await record(session, bets_of(one, [timedelta(hours=hour) for hour in range(40)]))
        await asyncio.to_thread(downgrade, empty_urls.owner, "0067")
        await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        async with database.transaction() as session:
            await record(session, bets_of(row, [timedelta(hours=40)]))
            found = await load_turnovers(session, {row.id: terms, other.id: terms})
        assert (await verify_database(database)).ok

    reached_at = NOW + timedelta(hours=19)
    assert found[row.id] == {"USD": Turnover(Money(41, "USD"), reached_at)}
    assert found[other.id] == {"USD": Turnover(Money(40, "USD"), reached_at)}


def bets_of(row: ReferralRow, offsets: Sequence[timedelta]) -> list[Wager]:
    return [
        Wager(
            event_id=unique("wager"),
            occurred_at=NOW + offset,
            player_id=row.referee_id or "",
            stake=usd(1),
        )
        for offset in offsets
    ]


@pytest.mark.parametrize(
    "terms",
    [
        TERMS,
        ruled(on=QualifyingAction.TOTAL_DEPOSITS),
        ruled(turnover=usd(1)),
        ruled(leaf("deposits.count", "gte", 2)),
        ruled(
            {
                "any": [
                    leaf("deposits.count", "gte", 2),
                    leaf("turnover.total", "gte", asdict(usd(5))),
                ]
            }
        ),
    ],
)
async def test_the_database_knows_which_terms_ask_for_stakes(
    database: Database, terms: Terms
) -> None:
    query = text("select asks_for_stakes(cast(:terms as jsonb))")
    async with database.reading() as session:
        asks = await session.scalar(query, {"terms": json.dumps(terms_json(terms))})
    assert asks is terms.rules.asks_for_stakes
