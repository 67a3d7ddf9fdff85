"""Bets: added up for referees whose terms ask for stakes, and waiting nowhere for anybody else."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select, text

from courier.route_player import route_player
from db.engine import Database, StatementExecutor
from db.tables import InboxRow, ReferralRow, StakeTotal, StakingPlayer
from domain.intake.facts import Signup, Wager
from domain.lifecycle.referral import Stage
from referrals.intake import facts
from referrals.intake.facts import Report
from tests.activities.campaigns.ruled import looks, ruled, stake
from tests.activities.referral_acts import sign_up
from tests.builders import (
    NOW,
    TOKENS,
    a_code,
    a_player_id,
    an_offer,
    deposit,
    signup,
    unique,
    usd,
)
from tests.courier.steps import (
    bind_referral,
    deliveries_to,
    record_facts,
    referrals_of,
    route,
)
from tests.fixtures.database_activity import wait_until_blocked

ASKING = ruled(turnover=usd(1000))
ALSO_WAITING = text("""
    insert into inbox (player_id, kind, event_id)
    select player_id, kind, event_id from facts where kind = 'wager' and event_id = :event_id
""")
"""A row for each bet, as the former release writes it with the fact."""


def bets(player_id: str, *minors: int) -> list[Wager]:
    return [
        Wager(
            event_id=unique("wager"),
            occurred_at=NOW + timedelta(hours=number),
            player_id=player_id,
            stake=usd(minor),
        )
        for number, minor in enumerate(minors, start=1)
    ]


async def record(session: StatementExecutor, reported: Sequence[Wager]) -> None:
    reports = [Report(fact=fact, player_id=fact.player_id) for fact in reported]
    await facts.record_facts(session, reports, door="kafka")


async def record_alone(database: Database, reported: Sequence[Wager]) -> None:
    async with database.autocommit() as session:
        await record(session, reported)


async def pending(database: Database, row: ReferralRow) -> list[str]:
    """Return the kinds of what is to be carried to a referral."""
    found = await deliveries_to(database, row)
    return [each.kind for each in found if each.acknowledged_at is None]


async def waiting(database: Database, player_id: str) -> int:
    query = select(func.count()).where(InboxRow.player_id == player_id)
    async with database.reading() as session:
        return (await session.execute(query)).scalar_one()


async def totals(database: Database, player_id: str) -> list[tuple[int, int]]:
    query = select(StakeTotal).where(StakeTotal.player_id == player_id).order_by(StakeTotal.day)
    async with database.reading() as session:
        return [(one.stakes, int(one.minor)) for one in await session.scalars(query)]


async def is_counted(database: Database, player_id: str) -> bool | None:
    async with database.reading() as session:
        found = await session.get(StakingPlayer, player_id)
    return found.is_counted if found else None


async def an_arrival(database: Database) -> Signup:
    """Return a signup by the code of a campaign whose terms ask for stakes."""
    async with database.transaction() as session:
        code = await a_code(session, await an_offer(session, terms=ASKING))
    return signup(code=code.code)


async def test_bets_of_players_whose_terms_ask_for_none_wait_nowhere(database: Database) -> None:
    row = await bind_referral(database)
    for player_id in (a_player_id(), row.referee_id or "", row.referrer_id):
        await record_alone(database, bets(player_id, 100, 200))

        assert await waiting(database, player_id) == 0
        assert await is_counted(database, player_id) is False
        assert await totals(database, player_id) == []
    assert [each.kind for each in await deliveries_to(database, row)] == ["signup"]


async def test_bets_recorded_together_leave_one_row_and_no_delivery(database: Database) -> None:
    acts = await sign_up(database, terms=ASKING)
    made = bets(acts.referee_id, *[10] * 30)
    for _ in range(2):
        await record_alone(database, [*made, *made])

    assert await waiting(database, acts.referee_id) == 1
    assert await totals(database, acts.referee_id) == [(11, 110), (19, 190)]
    assert await route(database, acts.referee_id) == (made[-1],)
    assert [each.kind for each in await deliveries_to(database, acts.row)] == ["signup"]


async def test_bets_of_before_the_signup_count_when_it_is_bound(database: Database) -> None:
    arrival = await an_arrival(database)
    player_id = arrival.player_id
    await record_alone(database, bets(player_id, 400, 600))
    await record_facts(database, deposit(player_id), arrival, player_id=player_id)

    await route(database, player_id)

    (row,) = await referrals_of(database, player_id)
    assert await totals(database, player_id) == [(2, 1000)]
    assert await pending(database, row) == ["signup", "deposit"]


async def test_a_bet_that_is_being_recorded_when_the_signup_is_bound_counts(
    database: Database,
) -> None:
    arrival = await an_arrival(database)
    player_id = arrival.player_id
    await record_facts(database, deposit(player_id), arrival, player_id=player_id)
    async with database.transaction() as recording:
        await record(recording, bets(player_id, 1000))
        binding = asyncio.create_task(route(database, player_id))
        await wait_until_blocked(database, recording)
    await binding

    (row,) = await referrals_of(database, player_id)
    assert await totals(database, player_id) == [(1, 1000)]
    assert await pending(database, row) == ["signup", "deposit"]


async def test_a_bet_recorded_while_the_signup_is_being_bound_wakes(database: Database) -> None:
    arrival = await an_arrival(database)
    player_id = arrival.player_id
    await record_facts(database, deposit(player_id), arrival, player_id=player_id)
    async with database.transaction() as binding:
        await route_player(binding, player_id, tokens=TOKENS, now=NOW)
        recording = asyncio.create_task(record_alone(database, bets(player_id, 1000)))
        await wait_until_blocked(database, binding)
    await recording
    (row,) = await referrals_of(database, player_id)
    assert await pending(database, row) == ["signup"]

    await route(database, player_id)

    assert await pending(database, row) == ["signup", "look"]
    assert await totals(database, player_id) == [(1, 1000)]


async def test_batches_that_share_players_in_another_order_make_no_deadlock(
    database: Database,
) -> None:
    players = [(await sign_up(database, terms=ASKING)).referee_id for _ in range(4)]

    orders = [players, players[::-1]] * 6
    batches = [[bet for player in order for bet in bets(player, 1)] for order in orders]
    await asyncio.gather(*(record_alone(database, batch) for batch in batches))

    assert [await totals(database, player) for player in players] == [[(12, 12)]] * 4


async def test_what_a_former_release_recorded_is_added_up_and_routed(database: Database) -> None:
    acts = await sign_up(database, terms=ASKING)
    await acts.receives(deposit(acts.referee_id))
    bet = stake(acts, 1000)
    other = replace(bet, event_id=unique("wager"), player_id=a_player_id())
    for one in (bet, other):
        async with database.transaction() as session:
            await record(session, [one])
            await session.execute(ALSO_WAITING, {"event_id": one.event_id})

    await route(database, acts.referee_id)
    await route(database, other.player_id)

    assert await totals(database, acts.referee_id) == [(1, 1000)]
    assert await looks(acts) == 1
    assert await acts.wake() is Stage.REWARDED
    assert await waiting(database, other.player_id) == 0
