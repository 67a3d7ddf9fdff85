"""Spends and what is given back of them: once per reference, whatever the names look like."""

import asyncio
from typing import Final
from uuid import NAMESPACE_OID, uuid4, uuid5

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from db.engine import Database, Session
from db.tables import TransferRow
from domain.ledger.movements import Movement, Transfer
from domain.money import Money
from referrals.ledger.posting import PostingOutcome, post
from referrals.ledger.spending import SpendOutcome, UnspendOutcome, spend, unspend
from tests import state
from tests.builders import NOW, a_player_id, usd
from tests.fixtures.database_activity import wait_until_blocked
from tests.referrals import reward_builders
from tests.state import Balances

names: Final = st.text("ab:", min_size=1, max_size=4)
BALANCE_MINOR: Final = 100


@given(spends=st.lists(st.tuples(names, names), max_size=10))
@example(spends=[("a", "b:c"), ("a:b", "c"), ("a", "b:c"), ("a:b", "c")])
@settings(max_examples=40, deadline=None)
async def test_each_player_spends_once_per_reference(
    database: Database, spends: list[tuple[str, str]]
) -> None:
    async with Session(database.engine) as session:
        run = uuid4().hex
        for player in {player for player, _ in spends}:
            await _give(session, run + player)
        for player, reference in spends:
            outcome = await _spend(session, run + player, reference, usd(1))
            assert outcome is SpendOutcome.SPENT
        query = select(TransferRow.player_id, TransferRow.reference).where(
            TransferRow.player_id.startswith(run), TransferRow.movement == Movement.SPEND
        )
        posted = [
            (row.player_id[len(run) :], row.reference) for row in await session.execute(query)
        ]
    assert sorted(posted) == sorted(set(spends))


async def test_a_spend_that_release_0_2_posted_is_still_the_same_one(database: Database) -> None:
    player_id = await _a_player_with_1000(database)
    async with database.transaction() as session:
        posting = await post(session, [_of_0_2(player_id, "bet:1")], at=NOW, reference="bet:1")
        assert posting is PostingOutcome.POSTED
        assert await _spend(session, player_id, "bet:1", usd(400)) is SpendOutcome.SPENT
        assert await _spend(session, player_id, "bet:1", usd(401)) is SpendOutcome.CONFLICT

    assert await state.player_balances(database, player_id) == Balances(available=600)


async def test_a_process_of_release_0_2_knows_a_spend_again(database: Database) -> None:
    player_id = await _a_player_with_1000(database)
    async with database.transaction() as session:
        assert await _spend(session, player_id, "bet:1", usd(400)) is SpendOutcome.SPENT
        posting = await post(session, [_of_0_2(player_id, "bet:1")], at=NOW, reference="bet:1")

    assert posting is PostingOutcome.ALREADY_POSTED


async def test_players_whose_names_meet_in_an_id_may_spend_at_once(database: Database) -> None:
    run = a_player_id()
    async with Session(database.engine) as first, Session(database.engine) as second:
        for session, player_id in ((first, run), (second, f"{run}:b")):
            await _give(session, player_id)
        assert await _spend(first, run, "b:c", usd(1)) is SpendOutcome.SPENT
        spending = asyncio.create_task(_spend(second, f"{run}:b", "c", usd(1)))
        await wait_until_blocked(database, first)
        await first.rollback()
        assert await spending is SpendOutcome.SPENT


async def test_a_spend_is_given_back_once_per_amount_and_never_beyond_it(
    database: Database,
) -> None:
    player_id = await _a_player_with_1000(database)
    steps: list[tuple[Money | None, UnspendOutcome, int]] = [
        (usd(300), UnspendOutcome.GIVEN_BACK, 300),
        (usd(300), UnspendOutcome.GIVEN_BACK, 300),
        (usd(701), UnspendOutcome.EXCEEDS_SPEND, 300),
        (usd(100), UnspendOutcome.GIVEN_BACK, 400),
        (None, UnspendOutcome.GIVEN_BACK, 1000),
        (None, UnspendOutcome.GIVEN_BACK, 1000),
        (usd(600), UnspendOutcome.GIVEN_BACK, 1000),
        (usd(1), UnspendOutcome.EXCEEDS_SPEND, 1000),
    ]
    async with database.transaction() as session:
        await _spend(session, player_id, "bet", usd(1000))
    for amount, outcome, available in steps:
        async with database.transaction() as session:
            assert await _unspend(session, player_id, "bet", amount) is outcome
        balances = await state.player_balances(database, player_id)
        assert balances == Balances(available=available), amount


async def test_the_rest_may_equal_a_part_that_was_given_back(database: Database) -> None:
    player_id = await _a_player_with_1000(database)
    async with database.transaction() as session:
        await _spend(session, player_id, "bet", usd(1000))
        for amount in (usd(500), None):
            await _unspend(session, player_id, "bet", amount)

    assert await state.player_balances(database, player_id) == Balances(available=1000)


@pytest.mark.parametrize(
    ("reference", "amount", "outcome"),
    [
        ("another bet", None, UnspendOutcome.UNKNOWN_SPEND),
        ("bet", Money(1, "EUR"), UnspendOutcome.OTHER_CURRENCY),
    ],
)
async def test_gives_back_only_what_was_spent_under_the_reference(
    database: Database, reference: str, amount: Money | None, outcome: UnspendOutcome
) -> None:
    player_id = await _a_player_with_1000(database)
    async with database.transaction() as session:
        await _spend(session, player_id, "bet", usd(1000))
        assert await _unspend(session, player_id, reference, amount) is outcome
        assert await _unspend(session, a_player_id(), "bet", None) is UnspendOutcome.UNKNOWN_SPEND


async def test_twenty_at_once_give_back_once(database: Database) -> None:
    player_id = await _a_player_with_1000(database)
    async with database.transaction() as session:
        await _spend(session, player_id, "bet", usd(1000))

    async def give_back(amount: Money | None) -> UnspendOutcome:
        async with database.transaction() as session:
            return await _unspend(session, player_id, "bet", amount)

    outcomes = await asyncio.gather(*(give_back(usd(600)) for _ in range(20)))

    assert set(outcomes) == {UnspendOutcome.GIVEN_BACK}
    assert await state.player_balances(database, player_id) == Balances(available=600)


async def _a_player_with_1000(database: Database) -> str:
    async with database.transaction() as session:
        return (await reward_builders.a_rewarded_referral(session)).referrer_id


async def _give(session: Session, player_id: str) -> None:
    """Give a player money that no commit would accept."""
    transfer = Transfer(
        id=uuid4(), movement=Movement.UNSPEND, amount=usd(BALANCE_MINOR), player_id=player_id
    )
    await post(session, [transfer], at=NOW)


async def _spend(session: Session, player_id: str, reference: str, amount: Money) -> SpendOutcome:
    return await spend(session, player_id=player_id, amount=amount, reference=reference, at=NOW)


async def _unspend(
    session: Session, player_id: str, reference: str, amount: Money | None
) -> UnspendOutcome:
    return await unspend(session, player_id=player_id, amount=amount, reference=reference, at=NOW)


def _of_0_2(player_id: str, reference: str) -> Transfer:
    """Return a spend of 400 with the id that release 0.2 gives it."""
    transfer_id = uuid5(NAMESPACE_OID, f"spend:{player_id}:{reference}")
    return Transfer(id=transfer_id, movement=Movement.SPEND, amount=usd(400), player_id=player_id)
