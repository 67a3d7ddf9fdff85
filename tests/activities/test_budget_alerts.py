"""Alerts about a budget, written by the acts that spend it."""

from collections.abc import Sequence

from db.engine import Database
from messaging.events import BudgetAlert
from tests.activities.queues import Queue, a_queue
from tests.events import events_of


async def test_alerts_at_each_threshold_once(database: Database) -> None:
    queue = await a_queue(database, budget=20_000)
    for _ in range(15):
        await queue.qualifies()
    assert await alerts(queue) == []

    await queue.qualifies()
    assert await alerts(queue) == [(80, 20_000, 4_000)]
    for _ in range(4):
        await queue.qualifies()

    assert await alerts(queue) == [(80, 20_000, 4_000), (95, 20_000, 1_000), (100, 20_000, 0)]


async def test_the_last_alert_comes_when_the_next_reward_does_not_fit(database: Database) -> None:
    queue = await a_queue(database, budget=1_500)
    await queue.qualifies()
    await queue.qualifies()

    assert await alerts(queue) == [(100, 1_500, 500)]


async def test_a_refill_arms_the_alerts_again(database: Database) -> None:
    queue = await a_queue(database, budget=1_000)
    await queue.qualifies()
    assert await alerts(queue) == [(80, 1_000, 0), (95, 1_000, 0), (100, 1_000, 0)]
    await queue.funds(1_000)
    await queue.qualifies()

    assert (await alerts(queue))[3:] == [(80, 2_000, 0), (95, 2_000, 0), (100, 2_000, 0)]


async def test_a_campaign_with_too_little_money_alerts_when_the_first_reward_waits(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=999)
    await queue.qualifies()
    await queue.qualifies()

    assert await alerts(queue) == [(100, 999, 999)]


async def alerts(queue: Queue) -> Sequence[tuple[int, int, int]]:
    slug = queue.offer.campaign.slug
    events = await events_of(queue.database, f"campaign:{slug}")
    assert all(isinstance(event, BudgetAlert) for event in events)
    told = [event for event in events if isinstance(event, BudgetAlert)]
    assert {event.campaign for event in told} <= {slug}
    return [(event.threshold, event.budget.minor, event.left.minor) for event in told]
