"""Couriers that die, and the loops that run until they are stopped."""

import asyncio
from collections import Counter

import pytest

from tests.courier.webhooks.steps import Webhooks
from tests.db.outbox_writers import write_one
from tests.webhooks.receiver import Received, in_turn, receiving, status

DEAD = "http://127.0.0.1:9/hook"


async def test_what_a_dead_courier_had_begun_is_sent_again_under_the_same_id(
    webhooks: Webhooks,
) -> None:
    never = asyncio.Event()
    async with receiving(lambda *_: never.wait()) as receiver:  # type: ignore[arg-type]
        created = await webhooks.create(receiver.url)
        (event,) = await webhooks.happen()
        dying = webhooks.deliverer()
        await dying.deliver()
        await receiver.wait_for(1)
        for task in tuple(dying.sends):
            task.cancel()
        receiver.answer = status(200)
        await webhooks.deliver()
        assert len(receiver.received) == 1, "the lease still holds"
        await webhooks.let_pass("30 seconds")
        await webhooks.deliver()
    assert receiver.message_ids == [str(event)] * 2
    assert (await webhooks.delivery(created.webhook_id)).status == "delivered"


async def test_a_success_that_is_heard_after_its_lease_still_counts(webhooks: Webhooks) -> None:
    answering = asyncio.Event()

    async def answer_late(request: Received, writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        await status(200)(request, writer)

    async with receiving(in_turn(answer_late, status(500))) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        slow = webhooks.deliverer()
        await slow.deliver()
        await receiver.wait_for(1)
        await webhooks.let_pass("30 seconds")
        await webhooks.deliver()
        assert (await webhooks.delivery(created.webhook_id)).status == "pending"
        answering.set()
        await slow.finish()
    assert (await webhooks.delivery(created.webhook_id)).status == "delivered"


async def test_a_failure_that_is_heard_after_its_lease_decides_nothing(
    webhooks: Webhooks,
) -> None:
    answering = asyncio.Event()

    async def fail_late(request: Received, writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        await status(500)(request, writer)

    async with receiving(in_turn(fail_late, status(200))) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        slow = webhooks.deliverer()
        await slow.deliver()
        await receiver.wait_for(1)
        await webhooks.let_pass("30 seconds")
        await webhooks.deliver()
        answering.set()
        await slow.finish()
    assert (await webhooks.delivery(created.webhook_id)).status == "delivered"


async def test_the_loops_deliver_and_stop_when_they_are_asked_to(webhooks: Webhooks) -> None:
    async with receiving(in_turn(status(200))) as receiver:
        await webhooks.create(receiver.url)
        loops = webhooks.loops()
        tasks = [asyncio.create_task(loop.run()) for loop in loops]
        events = [str(await write_one(webhooks.database)) for _ in range(10)]
        await receiver.wait_for(10)
        for loop in loops:
            loop.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
    assert sorted(receiver.message_ids) == sorted(events)


async def test_a_loop_that_is_cancelled_leaves_what_it_had_begun_to_others(
    webhooks: Webhooks,
) -> None:
    never = asyncio.Event()
    async with receiving(lambda *_: never.wait()) as receiver:  # type: ignore[arg-type]
        await webhooks.create(receiver.url)
        await webhooks.happen()
        _, sending = webhooks.loops()
        task = asyncio.create_task(sending.run())
        await receiver.wait_for(1)
        sending.stop()
        done, _pending = await asyncio.wait({task}, timeout=0.1)
        assert not done, "it waits for the attempt under way"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not webhooks.deliverers[-1].sends


@pytest.mark.timeout(300)
async def test_a_thousand_events_reach_two_endpoints_beside_a_dead_one(
    webhooks: Webhooks,
) -> None:
    async with receiving() as first, receiving() as second:
        ids = [(await webhooks.create(url)).webhook_id for url in (first.url, second.url, DEAD)]
        loops = webhooks.loops() + webhooks.loops()
        tasks = [asyncio.create_task(loop.run()) for loop in loops]
        events = [str(await write_one(webhooks.database, f"key-{n % 50}")) for n in range(1000)]
        for receiver in (first, second):
            await receiver.wait_for(1000, within_s=120)
        for loop in loops:
            loop.stop()
        await asyncio.gather(*tasks)
    for receiver in (first, second):
        assert Counter(receiver.message_ids) == Counter(events)
    dead = await webhooks.deliveries(ids[2])
    assert {str(delivery.event_id) for delivery in dead} == set(events)
    assert {delivery.status for delivery in dead} == {"pending"}
