"""Events on their way to endpoints."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from courier.webhooks import LANE_WIDTH
from referrals.webhooks import queue, subscriptions
from referrals.webhooks.secrets import MAX_SIGNING
from tests.courier.webhooks.steps import ACTOR, KEY, Webhooks
from tests.db.outbox_writers import write, write_one
from tests.webhooks.receiver import Received, in_turn, receiving, status


async def test_delivers_an_event_as_it_is_in_the_outbox_and_signed(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        (event_id,) = await webhooks.happen()
        await webhooks.deliver()
    (request,) = receiver.received
    request.verify(created.secret)
    assert request.message_id == str(event_id)
    async with webhooks.database.reading() as session:
        query = text("select payload::text from outbox where id = :id")
        assert request.body.decode() == await session.scalar(query, {"id": event_id})
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert delivery.leased_until is None


async def test_a_webhook_receives_the_types_that_it_asks_for(webhooks: Webhooks) -> None:
    async with receiving() as granted, receiving() as every, receiving() as messages:
        await webhooks.create(granted.url, ["RewardGranted"])
        await webhooks.create(every.url)
        await webhooks.create(messages.url, ["Notification"])
        async with webhooks.database.transaction() as session:
            for type_ in ("RewardGranted", "ReferralLost", "Notification"):
                await write(session, "a key", type_)
        await webhooks.write()
        await webhooks.deliver()
    assert [len(r.received) for r in (granted, every, messages)] == [1, 2, 1]


async def test_a_new_webhook_receives_nothing_of_what_was_before(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        await write_one(webhooks.database)
        created = await webhooks.create(receiver.url)
        (later,) = await webhooks.happen()
        await webhooks.deliver()
    assert receiver.message_ids == [str(later)]
    assert len(await webhooks.deliveries(created.webhook_id)) == 1


async def test_reading_the_same_events_again_writes_no_delivery_again(webhooks: Webhooks) -> None:
    created = await webhooks.create("http://127.0.0.1:9/")
    await webhooks.happen(3)
    async with webhooks.database.transaction() as session:
        await session.execute(text("update outbox_cursors set xid = '0', seq = 0"))
    await webhooks.write()
    assert len(await webhooks.deliveries(created.webhook_id)) == 3


async def test_both_secrets_sign_for_a_day_after_a_rotation(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        created = await webhooks.create(receiver.url)
        async with webhooks.database.transaction() as session:
            rotated = await subscriptions.rotate(session, created.webhook_id, key=KEY, actor=ACTOR)
        assert rotated is not None
        assert rotated.secret != created.secret
        await webhooks.happen()
        await webhooks.deliver()
        await webhooks.let_pass("24 hours")
        await webhooks.happen()
        await webhooks.deliver()
    first, second = receiver.received
    first.verify(created.secret)
    first.verify(rotated.secret)
    second.verify(rotated.secret)
    signatures = [request.headers["webhook-signature"].split(" ") for request in (first, second)]
    assert [len(signed) for signed in signatures] == [2, 1]


async def test_many_rotations_in_a_day_keep_the_header_short(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        made = await webhooks.create(receiver.url)
        for _ in range(8):
            async with webhooks.database.transaction() as session:
                last = await subscriptions.rotate(session, made.webhook_id, key=KEY, actor=ACTOR)
        await webhooks.happen()
        await webhooks.deliver()
    (request,) = receiver.received
    assert last is not None
    request.verify(last.secret)
    assert len(request.headers["webhook-signature"].split(" ")) == MAX_SIGNING


async def test_one_slow_endpoint_delays_no_other(webhooks: Webhooks) -> None:
    hanging = asyncio.Event()

    async def hang(_: Received, writer: asyncio.StreamWriter) -> None:
        await hanging.wait()
        await status(200)(_, writer)

    async with receiving(hang) as slow, receiving() as fast:
        await webhooks.create(slow.url)
        await webhooks.create(fast.url)
        await webhooks.happen(40)
        deliverer = webhooks.deliverer()
        while len(fast.received) < 40:
            deliverer.place_freed.clear()
            if not await deliverer.deliver():
                await asyncio.wait_for(deliverer.place_freed.wait(), 60)
        assert len(slow.received) == LANE_WIDTH
        hanging.set()
        await webhooks.deliver(deliverer)
    assert len(set(slow.message_ids)) == 40


async def test_one_endpoint_has_a_bound_of_attempts_in_all_couriers(webhooks: Webhooks) -> None:
    async with receiving(lambda *_: asyncio.Event().wait()) as slow:  # type: ignore[arg-type]
        await webhooks.create(slow.url)
        await webhooks.happen(30)
        couriers = [webhooks.deliverer() for _ in range(4)]
        await asyncio.gather(*(courier.deliver() for courier in couriers))
        await slow.wait_for(LANE_WIDTH)
        await asyncio.gather(*(courier.deliver() for courier in couriers))
        assert len(slow.received) == LANE_WIDTH


async def test_attempts_of_one_key_do_not_overlap_and_keep_its_order(webhooks: Webhooks) -> None:
    under_way = most = 0

    async def count(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        await status(200)(request, writer)

    async with receiving(count) as receiver:
        await webhooks.create(receiver.url)
        events = await webhooks.happen(12, key="one referral")
        await webhooks.deliver()
    assert receiver.message_ids == [str(event) for event in events]
    assert most == 1


async def test_a_failing_event_does_not_keep_the_later_ones_of_its_key_back(
    webhooks: Webhooks,
) -> None:
    async with receiving(in_turn(status(500), status(200))) as receiver:
        await webhooks.create(receiver.url)
        first, second = await webhooks.happen(2, key="one referral")
        await webhooks.deliver()
        assert receiver.message_ids == [str(first), str(second)]
        await webhooks.let_pass("10 seconds")
        await webhooks.deliver()
    assert receiver.message_ids == [str(first), str(second), str(first)]


async def test_several_couriers_share_the_deliveries(webhooks: Webhooks) -> None:
    async with receiving() as receiver:
        await webhooks.create(receiver.url)
        events = await webhooks.happen(100)
        await asyncio.gather(*(webhooks.deliver() for _ in range(3)))
        while len(receiver.received) < len(events):
            await webhooks.deliver()
    assert sorted(receiver.message_ids) == sorted(map(str, events))


async def test_one_busy_key_keeps_no_other_waiting(webhooks: Webhooks) -> None:
    created = await webhooks.create("http://127.0.0.1:9/")
    async with webhooks.database.transaction() as session:
        await session.execute(
            text("""
                insert into webhook_deliveries
                       (id, webhook_id, event_id, type, key, next_attempt_at)
                select gen_random_uuid(), :webhook_id, gen_random_uuid(), 'ShareRecorded',
                       case when n <= 3 * :window then 'BUSY' else 'other-' || n end,
                       now() - interval '1 minute'
                  from generate_series(1, 3 * :window + 20) as n
                 order by n
            """),
            {"webhook_id": created.webhook_id, "window": queue.WINDOW},
        )
        leased = await queue.lease(
            session, slots=100, lane_width=LANE_WIDTH, lasting=timedelta(seconds=25), key=KEY
        )
        keys = await session.scalars(
            text("select key from webhook_deliveries where leased_until is not null")
        )
        assert len(leased) == LANE_WIDTH
        assert len({*keys}) == LANE_WIDTH
        await session.rollback()
