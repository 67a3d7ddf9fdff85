"""Routing of facts: each fact of a bound player has one delivery, needed only if it can matter."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from db.engine import Database
from db.tables import ReferralRow
from domain.intake.facts import Fact, PlayerStatus, Signup, Wager
from domain.lifecycle.referral import Stage
from tests.builders import (
    NOW,
    a_bound_referral,
    a_player_id,
    chargeback,
    deposit,
    signup,
    status_change,
    unique,
    usd,
)
from tests.courier.steps import (
    a_shared_code,
    bind_referral,
    deliveries_to,
    pending_signals,
    record_and_route,
    record_facts,
    referrals_of,
    route,
    set_stage,
    sign_up,
)
from tests.fixtures.database_activity import recorded_statements

FINAL_WITHOUT_MONEY = [Stage.EXPIRED, Stage.REJECTED, Stage.UNFUNDED, Stage.VOIDED]
CREDITED = [Stage.REWARDED, Stage.SETTLED, Stage.REVERSED]


def wager(player_id: str) -> Wager:
    return Wager(event_id=unique("wager"), occurred_at=NOW, player_id=player_id, stake=usd(500))


def referee_id(row: ReferralRow) -> str:
    assert row.referee_id is not None
    return row.referee_id


async def test_a_deposit_that_arrives_before_its_signup_is_delivered_once_that_is_bound(
    database: Database,
) -> None:
    arrival = signup(code=await a_shared_code(database))
    early = deposit(arrival.player_id)
    await record_and_route(database, early, player_id=arrival.player_id)

    await sign_up(database, arrival)

    (row,) = await referrals_of(database, arrival.player_id)
    assert await pending_signals(database, row) == ["sign_up", "look"]


async def test_facts_of_a_player_never_referred_have_no_delivery(database: Database) -> None:
    player = a_player_id()

    await record_and_route(database, signup(player), deposit(player), player_id=player)

    assert await route(database, player) == ()
    assert await referrals_of(database, player) == []


async def test_a_duplicate_fact_delivers_nothing_more(database: Database) -> None:
    row = await bind_referral(database)
    paid = deposit(referee_id(row))

    for _ in range(3):
        await record_and_route(database, paid, player_id=paid.player_id)

    assert await pending_signals(database, row) == ["sign_up", "look"]


@pytest.mark.parametrize("stage", FINAL_WITHOUT_MONEY)
async def test_a_referral_that_ended_without_a_credit_needs_nothing(
    database: Database, stage: Stage
) -> None:
    row = await bind_referral(database)
    paid = deposit(referee_id(row))
    await set_stage(database, row, stage)

    await record_and_route(database, paid, chargeback(paid), player_id=paid.player_id)

    assert await pending_signals(database, row) == ["sign_up"]
    assert len(await deliveries_to(database, row)) == 3


@pytest.mark.parametrize("stage", CREDITED)
async def test_once_credited_only_chargebacks_of_the_credited_deposit_are_needed(
    database: Database, stage: Stage
) -> None:
    row = await bind_referral(database)
    player = referee_id(row)
    credited, other = deposit(player), deposit(player)
    await record_and_route(database, credited, player_id=player)
    await set_stage(database, row, stage, qualified_by=credited.event_id)

    reported = (other, chargeback(other), chargeback(credited), status_change(player))
    await record_and_route(database, *reported, player_id=player)

    assert await pending_signals(database, row) == ["sign_up", "look", "look"]
    assert len(await deliveries_to(database, row)) == 6


@pytest.mark.parametrize("stage", [Stage.HELD, Stage.DEFERRED])
async def test_a_status_change_of_the_referrer_reaches_rewards_that_wait(
    database: Database, stage: Stage
) -> None:
    row = await bind_referral(database)
    await set_stage(database, row, stage)
    change = status_change(row.referrer_id)

    await record_and_route(database, change, player_id=row.referrer_id)

    assert await pending_signals(database, row) == ["sign_up", "look"]


async def test_a_change_of_the_referrers_standing_is_not_delivered_before_a_deposit(
    database: Database,
) -> None:
    row = await bind_referral(database)

    await record_and_route(database, status_change(row.referrer_id), player_id=row.referrer_id)

    assert await pending_signals(database, row) == ["sign_up"]


def player_facts(code: str) -> tuple[Fact, ...]:
    player = a_player_id()
    first, second = deposit(player), deposit(player, at=NOW + timedelta(hours=2))
    return (
        signup(player, code=code),
        first,
        second,
        chargeback(first),
        wager(player),
        status_change(player),
    )


async def deliveries_by_fact(
    database: Database, facts: tuple[Fact, ...]
) -> set[tuple[str, str | None, bool]]:
    """Return the outcome of the facts without the ids, which each example draws anew."""
    (arrival,) = [fact for fact in facts if isinstance(fact, Signup)]
    (row,) = await referrals_of(database, arrival.player_id)
    names = {fact.event_id: str(index) for index, fact in enumerate(facts)}
    assert row.invited_at == arrival.occurred_at
    return {
        (names[d.event_id], d.signal, d.acknowledged_at is None)
        for d in await deliveries_to(database, row)
    }


EXPECTED = {
    ("0", "sign_up"),
    ("1", "look"),
    ("2", "look"),
    ("3", "look"),
    ("5", "look"),
}


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.sampled_from(list(permutations(range(6)))),
    pauses=st.sets(st.integers(0, 5)),
    repeats=st.lists(st.integers(0, 5), max_size=3),
)
async def test_any_order_of_arrival_gives_the_same_binding_and_tells_of_it(
    database: Database, order: tuple[int, ...], pauses: set[int], repeats: list[int]
) -> None:
    facts = player_facts(await a_shared_code(database))
    player = facts[0].player_id if isinstance(facts[0], Signup) else ""

    for step, index in enumerate([*order, *repeats]):
        await record_facts(database, facts[index], player_id=player)
        if step in pauses:
            await route(database, player)
    await route(database, player)

    delivered = await deliveries_by_fact(database, facts)
    assert {(fact, signal) for fact, signal, _ in delivered} == EXPECTED
    # Which fact made a deposit qualify depends on the order; that it is told does not.
    told = {signal for _, signal, is_pending in delivered if is_pending}
    assert told == {"sign_up", "look"}


@pytest.mark.parametrize("side", ["referrer_id", "referee_id"])
async def test_a_restored_player_reaches_a_reversed_reward_that_waits(
    database: Database, side: str
) -> None:
    row = await waiting_to_be_reinstated(database)
    player_id = getattr(row, side)

    restored = status_change(player_id, PlayerStatus.RESTORED)
    await record_and_route(database, restored, player_id=player_id)

    assert (await pending_signals(database, row))[-1] == "look"


async def waiting_to_be_reinstated(database: Database) -> ReferralRow:
    arrival = signup(code=await a_shared_code(database))
    credited = deposit(arrival.player_id)
    await sign_up(database, arrival)
    await record_and_route(database, credited, player_id=arrival.player_id)
    (row,) = await referrals_of(database, arrival.player_id)
    await set_stage(database, row, Stage.REVERSED, qualified_by=credited.event_id)
    async with database.transaction() as session:
        (await session.get_one(ReferralRow, row.id)).awaits_funds = True
    return row


async def test_a_status_change_reaches_many_referrals_by_as_many_statements_as_few(
    database: Database,
) -> None:
    costs = []
    # The first round opens connections.
    for number in (1, 1, 12):
        referrer_id = a_player_id()
        async with database.transaction() as session:
            rows = [await a_bound_referral(session, referrer_id=referrer_id) for _ in range(number)]
        for row in rows:
            await set_stage(database, row, Stage.HELD)
        change = status_change(referrer_id)
        await record_facts(database, change, player_id=referrer_id)
        with recorded_statements(database) as statements:
            await route(database, referrer_id)
        costs.append(len(statements))
        for row in rows:
            assert "look" in await pending_signals(database, row)

    assert costs[1] == costs[2]
