"""Attempts that fail: repeats, pauses, and what a fault of ours is."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.webhooks.sending import SendResult, WebhookRequest
from referrals.webhooks import delivery_views, subscriptions, upkeep
from referrals.webhooks.secrets import SecretKey
from tests.courier.webhooks.steps import ACTOR, SECRET, Webhooks
from tests.webhooks.receiver import in_turn, receiving, status

DEAD = "http://127.0.0.1:9/hook"


async def test_a_failed_delivery_is_repeated_within_ten_seconds_under_its_id(
    webhooks: Webhooks,
) -> None:
    async with receiving(in_turn(status(500), status(200))) as receiver:
        created = await webhooks.create(receiver.url)
        (event,) = await webhooks.happen()
        await webhooks.deliver()
        delivery = await webhooks.delivery(created.webhook_id)
        assert (delivery.status, delivery.last_error) == ("pending", "http_status")
        assert delivery.last_attempt_at is not None
        wait = delivery.next_attempt_at - delivery.last_attempt_at
        assert timedelta(seconds=1) < wait < timedelta(seconds=10)

        await webhooks.let_pass("10 seconds")
        await webhooks.deliver()
    assert receiver.message_ids == [str(event)] * 2
    for request in receiver.received:
        request.verify(created.secret)
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.attempts) == ("delivered", 2)
    assert (await webhooks.webhook(created.webhook_id)).failing_since is None


@pytest.mark.parametrize("code", [429, 503])
async def test_leaves_an_endpoint_alone_as_long_as_it_asks(webhooks: Webhooks, code: int) -> None:
    answer = in_turn(status(code, Retry_After="120"), status(200))
    async with receiving(answer) as receiver:
        await webhooks.create(receiver.url)
        await webhooks.happen(5, key="one")
        await webhooks.deliver()
        await webhooks.let_pass("100 seconds")
        await webhooks.deliver()
        assert len(receiver.received) == 1
        await webhooks.let_pass("60 seconds")
        await webhooks.deliver()
    assert len(set(receiver.message_ids)) == 5


async def test_a_failing_endpoint_has_one_attempt_at_a_time(webhooks: Webhooks) -> None:
    hanging = asyncio.Event()
    async with receiving(status(500)) as receiver:
        await webhooks.create(receiver.url)
        await webhooks.happen(1)
        await webhooks.deliver()
        receiver.answer = lambda *_: hanging.wait()  # type: ignore[assignment]
        await webhooks.happen(20)
        deliverer = webhooks.deliverer()
        for _ in range(3):
            await deliverer.deliver()
        await receiver.wait_for(2)
        assert len(deliverer.sends) == 1


async def test_attempts_and_the_health_of_endpoints_are_metrics(webhooks: Webhooks) -> None:
    async with receiving() as receiver, receiving(status(410)) as gone:
        for url in (receiver.url, gone.url, DEAD):
            await webhooks.create(url)
        await webhooks.happen()
        await webhooks.deliver()
        await webhooks.let_pass("1 hour")
        await webhooks.write()

    def value(name: str, **labels: str) -> float | None:
        return webhooks.registry.get_sample_value(name, labels)

    assert value("referrals_webhook_attempts_total", result="delivered") == 1
    assert value("referrals_webhook_attempts_total", result="connection_failed") == 1
    for state in ("succeeding", "failing", "disabled"):
        assert value("referrals_webhooks", state=state) == 1
    assert value("referrals_webhook_lag_seconds") == pytest.approx(3600, abs=100)


async def test_a_fault_of_ours_counts_against_no_endpoint(webhooks: Webhooks) -> None:
    class BrokenSender:
        async def send(self, request: WebhookRequest) -> SendResult:
            raise RuntimeError(request.message_id)

    created = await webhooks.create(DEAD)
    await webhooks.happen()
    await webhooks.deliver(webhooks.deliverer(sender=BrokenSender()))
    await webhooks.let_pass("30 days")
    await webhooks.deliver(webhooks.deliverer(sender=BrokenSender()))
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.last_error) == ("pending", "internal")
    assert (await webhooks.webhook(created.webhook_id)).failures == 0


async def test_another_key_of_the_service_sends_nothing_under_a_wrong_signature(
    webhooks: Webhooks,
) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        other = SecretKey("another key of the service")
        await webhooks.deliver(webhooks.deliverer(key=other))
        assert receiver.received == []
        assert (await webhooks.delivery(created.webhook_id)).last_error == "signing_key_changed"
        async with webhooks.database.transaction() as session:
            rotated = await subscriptions.rotate(
                session, created.webhook_id, key=other, actor=ACTOR
            )
        await webhooks.deliver(webhooks.deliverer(key=other))
    assert rotated is not None
    (request,) = receiver.received
    request.verify(rotated.secret)


async def test_a_secret_signs_on_while_the_key_that_it_was_derived_from_is_replaced(
    webhooks: Webhooks,
) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        await webhooks.deliver(webhooks.deliverer(key=SecretKey("the next key", SECRET)))
    (request,) = receiver.received
    request.verify(created.secret)


async def test_what_was_asked_for_again_is_sent_under_the_same_id(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        (event,) = await webhooks.happen()
        await webhooks.deliver()
        await _ask_again(webhooks, created.webhook_id)
        await webhooks.deliver()
    assert receiver.message_ids == [str(event)] * 2
    assert (await webhooks.delivery(created.webhook_id)).attempts == 2


async def test_a_failed_delivery_that_is_asked_for_again_has_days_once_more(
    webhooks: Webhooks,
) -> None:
    created = await webhooks.create(DEAD)
    await webhooks.happen()
    await webhooks.deliver()
    await webhooks.let_pass("5 days")
    await webhooks.deliver()
    await _ask_again(webhooks, created.webhook_id)
    await webhooks.deliver()
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.failures, delivery.attempts) == ("pending", 1, 3)


async def test_finished_deliveries_are_deleted_after_a_month(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen(2)
        await webhooks.deliver()
        await webhooks.let_pass("30 days")
        await webhooks.happen(1)
        async with webhooks.database.transaction() as session:
            assert not await upkeep.tidy(session)
    assert len(await webhooks.deliveries(created.webhook_id)) == 1


async def test_an_event_that_is_gone_from_the_outbox_is_given_up(webhooks: Webhooks) -> None:
    created = await webhooks.create(DEAD)
    await webhooks.happen()
    async with webhooks.database.transaction() as session:
        # Insert-only, so the delivery is made to name another event.
        await session.execute(text("delete from webhook_deliveries"))
        await session.execute(
            text("""
                insert into webhook_deliveries
                    (id, webhook_id, event_id, type, key, next_attempt_at)
                values (:id, :webhook_id, :id, 'RewardGranted', 'key', now())
            """),
            {"id": UUID(int=7), "webhook_id": created.webhook_id},
        )
    await webhooks.deliver()
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.last_error) == ("failed", "event_gone")


async def _ask_again(webhooks: Webhooks, webhook_id: UUID) -> None:
    delivery = await webhooks.delivery(webhook_id)
    async with webhooks.database.transaction() as session:
        asked = await delivery_views.ask_again(session, webhook_id, delivery.id, ACTOR)
    assert isinstance(asked, delivery_views.DeliveryView)
