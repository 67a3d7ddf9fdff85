"""Quiet players: they are routed together, and whoever matters is routed one by one."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event, func, select, text
from structlog.testing import capture_logs

from courier.router import FACT_BATCH_SIZE, MAX_WAITING_PLAYERS, Router
from courier.work_loop import MAX_BACKOFF_S
from db import locks
from db.engine import STATEMENT_TIMEOUT_MS, Database
from db.tables import IdentityLink, InboxRow
from domain.intake.facts import Deposit, Signup, StatusChange, Withdrawal
from referrals.fraud import clusters
from referrals.fraud.routing.quiet_players import route_quiet
from sandbox.sportsbook.polling import wait_until
from tests.builders import NOW, TOKENS, a_player_id, deposit, signup, status_change, unique, usd
from tests.courier.steps import (
    a_shared_code,
    bind_referral,
    deliveries_to,
    record_facts,
    referrals_of,
    route,
)

BOUND_S = 60.0
OfPlayer = Deposit | Signup | StatusChange | Withdrawal


async def waiting(database: Database, *player_ids: str) -> int:
    """Return how many facts of players are in the inbox."""
    query = select(func.count()).where(InboxRow.player_id.in_(player_ids))
    async with database.reading() as session:
        return (await session.execute(query)).scalar_one()


async def make_known(database: Database, *player_ids: str) -> None:
    """Give players their rows, as an earlier fact would."""
    async with database.transaction() as session:
        await locks.lock_players(session, *player_ids)


async def quiet_ones(database: Database, *reported: OfPlayer) -> frozenset[str]:
    """Record facts, and route the quiet ones among their players."""
    for fact in reported:
        await record_facts(database, fact, player_id=fact.player_id)
    async with database.transaction() as session:
        routed = await route_quiet(session, [*{fact.player_id for fact in reported}])
    return frozenset(routed)


async def test_many_quiet_players_cost_as_many_statements_as_few(fresh_database: Database) -> None:
    statements: list[str] = []

    @event.listens_for(fresh_database.engine.sync_engine, "before_cursor_execute")
    def _count(*args: object) -> None:
        statements.append(str(args[2]))

    costs = []
    # The first round opens connections.
    for number in (5, 5, 60):
        players = [a_player_id() for _ in range(number)]
        for player_id in players:
            await record_facts(fresh_database, deposit(player_id), player_id=player_id)
        statements.clear()
        async with asyncio.timeout(BOUND_S):
            await Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S).route()
        # Recording wakes the courier beside the commit, some time.
        costs.append(len([each for each in statements if "pg_notify" not in each]))
        assert await waiting(fresh_database, *players) == 0

    assert costs[1] == costs[2]


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
async def test_facts_that_say_nothing_new_are_dropped(database: Database, kind: str) -> None:
    player_id = a_player_id()
    facts: dict[str, OfPlayer] = {
        "deposit": deposit(player_id),
        "withdrawal": Withdrawal(
            event_id=unique("withdrawal"),
            occurred_at=NOW,
            player_id=player_id,
            withdrawal_id=unique("w"),
            amount=usd(),
        ),
    }

    assert await quiet_ones(database, facts[kind]) == {player_id}
    assert await waiting(database, player_id) == 0
    assert await route(database, player_id) == ()


async def test_a_player_who_was_referred_or_refers_is_not_quiet(database: Database) -> None:
    row = await bind_referral(database)
    assert row.referee_id

    assert await quiet_ones(database, deposit(row.referee_id), deposit(row.referrer_id)) == set()
    assert await waiting(database, row.referee_id, row.referrer_id) == 2


async def test_signups_and_statuses_are_never_dropped(database: Database) -> None:
    assert await quiet_ones(database, signup(), status_change(a_player_id())) == set()


async def test_new_values_of_quiet_players_are_linked_as_those_of_one(database: Database) -> None:
    alone = [paid_from_a_new_device() for _ in range(3)]
    for paid in alone:
        await record_facts(database, paid, player_id=paid.player_id)
        await route(database, paid.player_id)
    together = [paid_from_a_new_device() for _ in range(3)]

    assert await quiet_ones(database, *together) == {paid.player_id for paid in together}

    assert await waiting(database, *(paid.player_id for paid in together)) == 0
    for one, other in zip(alone, together, strict=True):
        assert [replace(each, value="") for each in await links_of(database, one)] == [
            replace(each, value="") for each in await links_of(database, other)
        ]
        kinds = {each.kind: each for each in await links_of(database, other)}
        assert kinds["payment_instrument"].value == other.payment_instrument
        assert kinds["payment_instrument"].is_strong
        assert kinds["payment_instrument"].first_seen_at == other.occurred_at


async def test_a_device_is_as_strong_as_the_app_of_the_signup(database: Database) -> None:
    arrival = signup(platform="ios")
    await record_facts(database, arrival, player_id=arrival.player_id)
    await route(database, arrival.player_id)
    by_app = replace(paid_from_a_new_device(), player_id=arrival.player_id)
    by_browser = paid_from_a_new_device()

    assert len(await quiet_ones(database, by_app, by_browser)) == 2

    strong = {
        paid.player_id: {each.kind: each.is_strong for each in await links_of(database, paid)}
        for paid in (by_app, by_browser)
    }
    assert strong[by_app.player_id]["device_id"]
    assert not strong[by_browser.player_id]["device_id"]


async def test_a_card_is_linked_once_however_often_it_pays(database: Database) -> None:
    paid = deposit(payment_instrument=f"hm1:{unique('card')}")
    again = replace(
        paid,
        event_id=unique("deposit"),
        deposit_id=unique("d"),
        occurred_at=paid.occurred_at + timedelta(hours=1),
    )

    assert await quiet_ones(database, paid, again) == {paid.player_id}
    (card,) = await links_of(database, paid)
    assert (card.first_seen_at, card.last_seen_at) == (paid.occurred_at, again.occurred_at)

    later = deposit(
        paid.player_id,
        at=paid.occurred_at.replace(year=paid.occurred_at.year + 1),
        payment_instrument=paid.payment_instrument,
    )
    assert await quiet_ones(database, later) == {paid.player_id}
    (card,) = await links_of(database, paid)
    assert (card.first_seen_at, card.last_seen_at) == (paid.occurred_at, later.occurred_at)


async def test_whoever_a_card_joins_to_others_is_routed_alone(database: Database) -> None:
    card = f"hm1:{unique('card')}"
    owner = deposit(payment_instrument=card)
    assert await quiet_ones(database, owner) == {owner.player_id}
    sharer, stranger = deposit(payment_instrument=card), paid_from_a_new_device()

    assert await quiet_ones(database, sharer, stranger) == {stranger.player_id}

    assert await waiting(database, sharer.player_id) == 1
    assert await links_of(database, sharer) == []
    await route(database, sharer.player_id)
    assert await cluster_of(database, sharer) == await cluster_of(database, owner) is not None


async def test_players_who_bring_one_card_at_once_are_joined(database: Database) -> None:
    card = f"hm1:{unique('card')}"
    pair = [deposit(payment_instrument=card) for _ in range(2)]

    assert await quiet_ones(database, *pair) == set()

    for paid in pair:
        await route(database, paid.player_id)
    assert await cluster_of(database, pair[0]) == await cluster_of(database, pair[1]) is not None


async def test_of_two_couriers_with_one_new_card_one_leaves_its_player_alone(
    database: Database,
) -> None:
    card = f"hm1:{unique('card')}"
    first, second = [deposit(payment_instrument=card) for _ in range(2)]
    for paid in (first, second):
        await record_facts(database, paid, player_id=paid.player_id)

    async with asyncio.timeout(BOUND_S), database.transaction() as session:
        assert (await route_quiet(session, [first.player_id])).keys() == {first.player_id}
        async with database.transaction() as other:
            assert (await route_quiet(other, [second.player_id])).keys() == set()

    await route(database, second.player_id)
    assert await cluster_of(database, first) == await cluster_of(database, second) is not None


async def test_while_all_links_are_locked_only_new_values_wait(database: Database) -> None:
    known, new = paid_from_a_new_device(), paid_from_a_new_device()
    assert await quiet_ones(database, known) == {known.player_id}
    again = replace(known, event_id=unique("deposit"), deposit_id=unique("d"))

    async with asyncio.timeout(BOUND_S), database.transaction() as rebuilding:
        await locks.lock_key(rebuilding, clusters.LINKS_LOCK)
        assert await quiet_ones(database, again, new) == {known.player_id}

    assert await waiting(database, new.player_id) == 1


async def test_what_arrives_while_a_player_is_routed_waits_for_the_next_time(
    database: Database,
) -> None:
    paid, later = paid_from_a_new_device(), None
    await record_facts(database, paid, player_id=paid.player_id)
    async with database.transaction() as session:
        assert (await route_quiet(session, [paid.player_id])).keys() == {paid.player_id}
        later = replace(paid_from_a_new_device(), player_id=paid.player_id)
        await record_facts(database, later, player_id=paid.player_id)

    assert await waiting(database, paid.player_id) == 1
    assert [fact.event_id for fact in await route(database, paid.player_id)] == [later.event_id]


async def test_whoever_is_bound_meanwhile_is_told_of_the_deposit(database: Database) -> None:
    arrival = signup(code=await a_shared_code(database))
    early = deposit(arrival.player_id)
    await record_facts(database, early, arrival, player_id=arrival.player_id)
    await make_known(database, arrival.player_id)
    async with database.transaction() as binding:
        await locks.lock_players(binding, arrival.player_id)

        async with asyncio.timeout(BOUND_S), database.transaction() as session:
            assert (await route_quiet(session, [arrival.player_id])).keys() == set()

    await route(database, arrival.player_id)
    (row,) = await referrals_of(database, arrival.player_id)
    assert early.event_id in [each.event_id for each in await deliveries_to(database, row)]


async def test_two_couriers_drop_the_same_players_once(database: Database) -> None:
    players = [a_player_id() for _ in range(8)]
    for player_id in players:
        await record_facts(database, deposit(player_id), player_id=player_id)

    async def drop(given: list[str]) -> frozenset[str]:
        async with database.transaction() as session:
            return frozenset(await route_quiet(session, given))

    async with asyncio.timeout(BOUND_S):
        first, second = await asyncio.gather(drop(players), drop(players[::-1]))

    assert first | second == set(players)
    assert await waiting(database, *players) == 0


async def test_a_full_lease_tells_that_more_may_wait(fresh_database: Database) -> None:
    for _ in range(FACT_BATCH_SIZE + 1):
        paid = deposit()
        await record_facts(fresh_database, paid, player_id=paid.player_id)
    router = Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S)

    assert await router.route()
    assert not await router.route()
    async with fresh_database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(InboxRow)) == 0


async def test_a_player_whom_another_transaction_adds_keeps_no_batch_waiting(
    fresh_database: Database,
) -> None:
    router = Router(fresh_database, tokens=TOKENS, patience_s=0.2)
    added, other = deposit(), deposit()
    for paid in (added, other):
        await record_facts(fresh_database, paid, player_id=paid.player_id)

    async with fresh_database.transaction() as session:
        await locks.lock_players(session, added.player_id)
        async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000 - 1):
            await wait_until(
                lambda: routed_once(router, fresh_database, other.player_id),
                bool,
                what="the other player",
                within_s=BOUND_S,
            )
        assert await waiting(fresh_database, added.player_id) == 1

    await router.finish()
    assert await waiting(fresh_database, added.player_id) == 0


async def test_whoever_is_routed_with_others_begins_with_a_short_delay_again(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    paid = paid_from_a_new_device()
    clock = StoppedClock()
    router = Router(fresh_database, tokens=TOKENS, clock_s=clock, patience_s=BOUND_S)

    async def fail() -> list[int]:
        again = replace(paid, event_id=unique("deposit"), deposit_id=unique("d"))
        await record_facts(fresh_database, again, player_id=paid.player_id)
        await rename(fresh_superuser, "identity_links", "no_links")
        with capture_logs() as logs:
            await router.route()
        await rename(fresh_superuser, "no_links", "identity_links")
        return [line["failures"] for line in logs if line["event"] == "routing_failed"]

    assert await fail() == [1]
    clock.now_s += MAX_BACKOFF_S
    await router.route()
    assert await waiting(fresh_database, paid.player_id) == 0
    assert await fail() == [1]


async def test_locked_players_keep_nobody_else_from_being_routed(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S)
    busy = [a_player_id() for _ in range(12)]
    for player_id in busy:
        await record_facts(fresh_database, signup(player_id), player_id=player_id)
    arrival = signup(code=await a_shared_code(fresh_database))
    await record_facts(fresh_database, arrival, player_id=arrival.player_id)

    await make_known(fresh_database, *busy)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, *busy)

        await router.route()

        assert len(await referrals_of(fresh_database, arrival.player_id)) == 1
        assert await waiting(fresh_database, *busy) == len(busy)
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert (await session.execute(text(blocked))).scalar_one() <= MAX_WAITING_PLAYERS

    await router.finish()
    assert await waiting(fresh_database, *busy) == 0


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a player."""

    kind: str
    value: str
    is_strong: bool
    first_seen_at: datetime
    last_seen_at: datetime


def paid_from_a_new_device() -> Deposit:
    """Return a deposit of a player of its own, with a card and a device that nobody else has."""
    return deposit(
        payment_instrument=f"hm1:{unique('card')}", device_id=f"hm1:{unique('device')}", ip="hm1:ip"
    )


class StoppedClock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def rename(database: Database, table: str, name: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"alter table {table} rename to {name}"))


async def routed_once(router: Router, database: Database, player_id: str) -> bool:
    """Route a batch, and return whether nothing waits of a player."""
    await router.route()
    return await waiting(database, player_id) == 0


async def links_of(database: Database, paid: Deposit) -> list[Link]:
    query = (
        select(IdentityLink)
        .where(IdentityLink.player_id == paid.player_id)
        .order_by(IdentityLink.kind)
    )
    async with database.reading() as session:
        return [
            Link(one.kind, one.value, one.is_strong, one.first_seen_at, one.last_seen_at)
            for one in await session.scalars(query)
        ]


async def cluster_of(database: Database, paid: Deposit) -> UUID | None:
    async with database.reading() as session:
        return await clusters.cluster_of(session, paid.player_id)
