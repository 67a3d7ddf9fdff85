"""Endpoints that are down: probed, disabled with an event that says so, and enabled again."""

from messaging.events import WebhookDisabled
from referrals.webhooks import subscriptions
from tests.courier.webhooks.steps import ACTOR, Webhooks
from tests.webhooks.receiver import in_turn, receiving, status

DEAD = "http://127.0.0.1:9/hook"


async def test_a_delivery_is_given_up_after_days(webhooks: Webhooks) -> None:
    created = await webhooks.create(DEAD)
    await webhooks.happen()
    await webhooks.deliver()
    await webhooks.let_pass("5 days")
    await webhooks.deliver()
    delivery = await webhooks.delivery(created.webhook_id)
    assert (delivery.status, delivery.last_error) == ("failed", "connection_failed")


async def test_an_endpoint_that_only_fails_for_days_is_disabled_and_an_event_says_so(
    webhooks: Webhooks,
) -> None:
    async with receiving() as other:
        failing = await webhooks.create(DEAD, ["RewardGranted", "ReferralInvited"])
        await webhooks.create(other.url, ["WebhookDisabled"])
        await webhooks.happen(10)
        await webhooks.deliver()
        while (await webhooks.webhook(failing.webhook_id)).failures < 10:
            await webhooks.let_pass("6 hours")
            await webhooks.deliver()
        assert (await webhooks.webhook(failing.webhook_id)).disabled_at is None
        await webhooks.let_pass("5 days")
        await webhooks.deliver()
        await webhooks.write()
        await webhooks.deliver()
    row = await webhooks.webhook(failing.webhook_id)
    assert row.disabled_reason == "failing"
    (event,) = await webhooks.events("WebhookDisabled")
    assert event.aggregateid == f"webhook:{failing.webhook_id}"
    told = WebhookDisabled.model_validate(event.payload)
    assert told.model_extra == {}
    assert (told.webhook_id, told.reason_code) == (failing.webhook_id, "failing")
    assert (told.event_id, told.occurred_at) == (event.id, row.disabled_at)
    assert other.message_ids == [str(event.id)]


async def test_a_courier_that_stood_still_for_days_disables_nothing(webhooks: Webhooks) -> None:
    created = await webhooks.create(DEAD)
    await webhooks.happen()
    await webhooks.deliver()
    await webhooks.let_pass("30 days")
    await webhooks.happen()
    await webhooks.deliver()
    assert (await webhooks.webhook(created.webhook_id)).disabled_at is None


async def test_an_endpoint_that_is_gone_is_disabled_at_once(webhooks: Webhooks) -> None:
    async with receiving(status(410)) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen(3)
        await webhooks.deliver()
        await webhooks.happen(2)
        await webhooks.deliver()
    assert (await webhooks.webhook(created.webhook_id)).disabled_reason == "gone"
    assert len(await webhooks.events("WebhookDisabled")) == 1
    statuses = {delivery.status for delivery in await webhooks.deliveries(created.webhook_id)}
    assert statuses == {"failed"}
    assert len(receiver.received) <= 3


async def test_a_webhook_that_is_enabled_again_goes_on_from_then(webhooks: Webhooks) -> None:
    async with receiving(in_turn(status(410), status(200))) as receiver:
        created = await webhooks.create(receiver.url)
        await webhooks.happen()
        await webhooks.deliver()
        await webhooks.happen()
        async with webhooks.database.transaction() as session:
            await subscriptions.enable(session, created.webhook_id, ACTOR)
        (later,) = await webhooks.happen()
        await webhooks.deliver()
    assert receiver.message_ids[1:] == [str(later)]
    assert (await webhooks.webhook(created.webhook_id)).disabled_at is None


async def test_each_time_that_it_is_disabled_has_an_event(webhooks: Webhooks) -> None:
    async with receiving(status(410)) as receiver:
        created = await webhooks.create(receiver.url)
        for _ in range(2):
            await webhooks.happen()
            await webhooks.deliver()
            async with webhooks.database.transaction() as session:
                await subscriptions.enable(session, created.webhook_id, ACTOR)
    assert len(await webhooks.events("WebhookDisabled")) == 2


async def test_an_endpoint_that_is_down_is_tried_once_a_minute(webhooks: Webhooks) -> None:
    async with receiving(status(500)) as receiver:
        await webhooks.create(receiver.url)
        await webhooks.happen(40)
        await webhooks.deliver()
        assert len(receiver.received) == 40, "each has its first attempt"
        await webhooks.let_pass("10 minutes")
        for _ in range(3):
            await webhooks.deliver()
            await webhooks.let_pass("61 seconds")
    assert len(receiver.received) == 43


async def test_an_endpoint_that_is_back_hears_of_what_it_missed_within_a_minute(
    webhooks: Webhooks,
) -> None:
    async with receiving(status(500)) as receiver:
        await webhooks.create(receiver.url)
        events = await webhooks.happen(20)
        for _ in range(4):
            await webhooks.deliver()
            await webhooks.let_pass("61 seconds")
        await webhooks.let_pass("1 hour")
        await webhooks.deliver()
        receiver.received.clear()
        receiver.answer = status(200)
        await webhooks.happen(1)
        await webhooks.let_pass("61 seconds")
        await webhooks.deliver()
        await webhooks.let_pass("61 seconds")
        await webhooks.deliver()
    assert len(set(receiver.message_ids)) == len(events) + 1


async def test_a_long_backoff_ends_when_the_endpoint_is_back(webhooks: Webhooks) -> None:
    async with receiving(status(500)) as receiver:
        await webhooks.create(receiver.url)
        (old,) = await webhooks.happen()
        for _ in range(11):
            await webhooks.deliver()
            await webhooks.let_pass("8 hours")
        await webhooks.deliver()
        await webhooks.let_pass("2 minutes")
        receiver.answer = status(200)
        (new,) = await webhooks.happen()
        await webhooks.deliver()
        assert receiver.message_ids[-1] == str(new)
        await webhooks.let_pass("61 seconds")
        await webhooks.deliver()
    assert receiver.message_ids[-1] == str(old)
