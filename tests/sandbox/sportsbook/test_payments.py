"""The sandbox's payments service: what it stores, and the events in its outbox."""

import asyncio

import asyncpg
import pytest

from referrals.intake.events import ChargebackIn, DepositIn
from sandbox.sportsbook.requests import unique_id, usd
from sandbox.sportsbook.services.connections import Pool
from sandbox.sportsbook.services.outbox import EventType, event_id
from sandbox.sportsbook.services.payments import PaymentsService
from tests.sandbox.sportsbook.events import events_of


async def test_tells_of_a_deposit_when_it_is_settled(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    card_id = await payments_service.add_card(player_id)

    deposit_id = await payments_service.authorise(card_id, 1500)
    before = await events_of(payments_pool, player_id)
    await payments_service.settle(deposit_id)

    (event,) = await events_of(payments_pool, player_id)
    assert before == []
    assert event.pop("topic") == "payments.deposit-completed.v1"
    assert event["deposit_id"] == deposit_id
    assert event["amount"] == usd(1500)
    assert DepositIn.model_validate(event).player_id == player_id


async def test_settles_a_deposit_once_however_often_it_is_asked(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    deposit_id = await payments_service.authorise(await payments_service.add_card(player_id), 1500)

    answers = await asyncio.gather(*(payments_service.settle(deposit_id) for _ in range(5)))

    assert sorted(answers) == [False] * 4 + [True]
    assert len(await events_of(payments_pool, player_id)) == 1


async def test_a_card_that_is_added_again_stays_one_card(payments_service: PaymentsService) -> None:
    player_id = unique_id("player")

    cards = {await payments_service.add_card(player_id) for _ in range(2)}

    assert len(cards) == 1


async def test_refunds_no_more_than_was_deposited(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    deposit_id = await payments_service.deposit(player_id, 1000)

    answers = [
        await payments_service.refund(deposit_id, minor, refund_id=f"{deposit_id}:{number}")
        for number, minor in ((1, 600), (1, 600), (2, 500), (3, 400))
    ]

    assert answers == [True, False, False, True]
    _, *refunds = await events_of(payments_pool, player_id)
    assert [refund["amount"]["minor"] for refund in refunds] == [600, 400]


async def test_tells_of_each_turn_of_a_dispute_once(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    deposit_id = await payments_service.deposit(player_id)

    disputes = {await payments_service.charge_back(deposit_id) for _ in range(2)}
    won = [await payments_service.win(disputes.copy().pop()) for _ in range(2)]

    _, *reversals = await events_of(payments_pool, player_id)
    assert len(disputes) == 1
    assert won == [True, False]
    assert [event["kind"] for event in reversals] == ["chargeback", "chargeback_won"]
    for event in reversals:
        assert event.pop("topic") == "payments.deposit-reversed.v1"
        assert ChargebackIn.model_validate(event).dispute_id in disputes


async def test_a_refund_that_fails_can_be_paid_again(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    deposit_id = await payments_service.deposit(player_id, 1000)
    first, second = f"{deposit_id}:1", f"{deposit_id}:2"

    await payments_service.refund(deposit_id, 1000, refund_id=first)
    await payments_service.fail_refund(first)
    paid_again = await payments_service.refund(deposit_id, 1000, refund_id=second)

    _, *reversals = await events_of(payments_pool, player_id)
    assert paid_again
    assert [event["kind"] for event in reversals] == ["refund", "refund_failed", "refund"]


async def test_refuses_to_take_back_what_is_not_settled(payments_service: PaymentsService) -> None:
    card_id = await payments_service.add_card(unique_id("player"))
    deposit_id = await payments_service.authorise(card_id, 1000)

    with pytest.raises(LookupError, match="no settled deposit"):
        await payments_service.charge_back(deposit_id)


async def test_keeps_neither_row_nor_event_when_the_transaction_fails(
    payments_service: PaymentsService, payments_pool: Pool
) -> None:
    player_id = unique_id("player")
    deposit_id = await payments_service.authorise(await payments_service.add_card(player_id), 1000)
    await payments_pool.execute(
        "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)"
        " VALUES ($1, 'taken', 'taken', 'taken', '{}')",
        event_id(EventType.DEPOSIT_COMPLETED, deposit_id),
    )

    with pytest.raises(asyncpg.UniqueViolationError):
        await payments_service.settle(deposit_id)

    status = "SELECT status FROM deposits WHERE deposit_id = $1"
    assert await payments_pool.fetchval(status, deposit_id) == "authorised"
