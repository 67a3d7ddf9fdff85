"""Symptoms that users of other webhook senders reported publicly, tried here."""

import asyncio

from domain.webhooks.addresses import Addresses
from domain.webhooks.sending import SendError, SendResult, WebhookRequest
from integrations.webhook_sender import WebhookSender
from referrals.webhooks import subscriptions
from tests.courier.webhooks.steps import ACTOR, Webhooks
from tests.integrations.test_webhook_sender import SECRET
from tests.webhooks.receiver import in_turn, receiving, status


async def test_deliveries_of_a_deleted_endpoint_end_and_hold_nothing_up(
    webhooks: Webhooks,
) -> None:
    """Svix-webhooks 1511: the worker failed again and again at an endpoint that was gone."""
    async with receiving() as deleted, receiving() as kept:
        doomed = await webhooks.create(deleted.url)
        await webhooks.create(kept.url)
        events = await webhooks.happen(3)
        async with webhooks.database.transaction() as session:
            assert await subscriptions.delete(session, doomed.webhook_id, ACTOR)
        await webhooks.happen(1)
        await webhooks.deliver()
    assert deleted.received == []
    assert len(kept.received) == len(events) + 1
    statuses = [delivery.status for delivery in await webhooks.deliveries(doomed.webhook_id)]
    assert statuses == ["failed"] * 3


async def test_a_repeat_whose_time_has_long_passed_is_still_made(webhooks: Webhooks) -> None:
    """Convoy 1667: the last repeats stayed scheduled for a time in the past."""
    async with receiving(in_turn(*[status(500)] * 6, status(200))) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        for _ in range(7):
            await webhooks.deliver()
            await webhooks.let_pass("12 hours")
    assert len(receiver.received) == 7
    assert (await webhooks.delivery(created.webhook_id)).status == "delivered"


async def test_an_endpoint_that_always_refuses_is_counted_and_given_up(webhooks: Webhooks) -> None:
    """Convoy 1833: a 403 was repeated for ever, and no attempt was recorded."""
    async with receiving(status(403)) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        for _ in range(12):
            await webhooks.deliver()
            await webhooks.let_pass("12 hours")
        await webhooks.deliver()
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.last_status) == ("failed", 403)
    assert delivery.attempts == len(receiver.received)


async def test_attempts_that_were_cut_off_leave_room_for_others() -> None:
    """Httpcore 1093: cancelled requests kept their places in the pool, until none was left."""
    never = asyncio.Event()
    sender = WebhookSender(Addresses.ANY, timeout_s=10)

    async def send(url: str) -> SendResult:
        return await sender.send(
            WebhookRequest(url=url, message_id="1", body="{}", secrets=[SECRET])
        )

    async with receiving(lambda *_: never.wait()) as hanging, receiving() as receiver:  # type: ignore[arg-type]
        for moment in range(60):
            tasks = [asyncio.create_task(send(hanging.url)) for _ in range(10)]
            for _ in range(moment % 12):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        results = await asyncio.gather(*(send(receiver.url) for _ in range(50)))
    assert all(result.is_delivered for result in results)
    await sender.close()


async def test_names_the_port_in_host_and_sends_the_length(webhooks: Webhooks) -> None:
    """Reports against several senders: a chunked body, or a host without its port, is refused."""
    async with receiving() as receiver:
        await webhooks.create(receiver.url)
        await webhooks.happen()
        await webhooks.deliver()
    (request,) = receiver.received
    assert request.headers["host"] == receiver.url.split("/")[2]
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers


async def test_a_rate_limited_endpoint_is_not_hammered_by_its_other_deliveries(
    webhooks: Webhooks,
) -> None:
    """Svix-webhooks 2200: Retry-After was ignored, and jitter came before what was asked."""
    async with receiving(status(429, Retry_After="60")) as receiver:
        await webhooks.create(receiver.url)
        await webhooks.happen(1)
        await webhooks.deliver()
        await webhooks.happen(20)
        for _ in range(5):
            await webhooks.deliver()
            await webhooks.let_pass("11 seconds")
        assert len(receiver.received) == 1


async def test_pending_deliveries_do_not_hide_that_an_endpoint_fails(webhooks: Webhooks) -> None:
    """Polar 8690: hundreds of deliveries were tried before an endpoint counted as failing."""
    async with receiving(status(500)) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen(1)
        await webhooks.deliver()
        await webhooks.let_pass("5 days")
        await webhooks.happen(100)
        await webhooks.deliver()
    assert (await webhooks.webhook(created.webhook_id)).disabled_reason == "failing"
    assert len(receiver.received) <= 12


async def test_an_answer_without_end_or_length_is_no_reason_to_wait() -> None:
    """Reports against several senders: the answer of a receiver was read to its end."""

    async def answer(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 X\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    sender = WebhookSender(Addresses.ANY, timeout_s=120)
    async with receiving(answer) as receiver, asyncio.timeout(60):
        request = WebhookRequest(url=receiver.url, message_id="1", body="{}", secrets=[SECRET])
        result = await sender.send(request)
    assert result == SendResult(status=500, error=SendError.HTTP_STATUS)
    await sender.close()
