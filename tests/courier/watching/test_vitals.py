"""Vital signs: how long facts wait, and whether anybody works on them."""

import math

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from courier.vitals import Vitals
from db.engine import Database
from sandbox.sportsbook.polling import wait_until
from tests.api.v1.cases.steps import file_cases, hold
from tests.builders import deposit, unique
from tests.courier.steps import record_facts, route
from worker import build_worker


@activity.defn
async def nothing() -> None: ...


async def test_shows_the_age_of_the_oldest_fact_until_it_is_routed(
    fresh_database: Database, fresh_superuser: Database, temporal_env: WorkflowEnvironment
) -> None:
    registry, vitals = a_look(fresh_database, temporal_env)
    await vitals.look()
    assert registry.get_sample_value("referrals_oldest_unhandled_fact_seconds") == 0
    fact = deposit()
    await record_facts(fresh_database, fact, player_id=fact.player_id)
    async with fresh_superuser.transaction() as session:
        await session.execute(text("update inbox set heard_at = heard_at - interval '5 minutes'"))

    await vitals.look()

    lane = {"lane": "routing"}
    lag_s = registry.get_sample_value("referrals_courier_lag_seconds", lane)
    assert lag_s is not None
    assert 300 <= lag_s < 360
    assert registry.get_sample_value("referrals_courier_backlog", lane) == 1
    assert registry.get_sample_value("referrals_oldest_unhandled_fact_seconds") == lag_s

    await route(fresh_database, fact.player_id)
    await vitals.look()
    assert registry.get_sample_value("referrals_oldest_unhandled_fact_seconds") == 0


async def test_shows_that_no_worker_polls_and_how_long_its_work_waits(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    queue = unique("queue")
    registry, vitals = a_look(fresh_database, temporal_env, queue=queue)
    await vitals.look()
    assert registry.get_sample_value("referrals_workers_polling") == 0

    await temporal_env.client.start_workflow(
        "NobodysWorkflow", id=unique("workflow"), task_queue=queue
    )

    async def waiting_s() -> float:
        await vitals.look()
        return registry.get_sample_value("referrals_oldest_unhandled_fact_seconds") or 0.0

    assert await wait_until(waiting_s, lambda age_s: age_s > 1, what="an age", within_s=15) > 1


async def test_shows_the_workers_that_poll(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    queue = unique("queue")
    registry, vitals = a_look(fresh_database, temporal_env, queue=queue)

    async def polling() -> float | None:
        await vitals.look()
        return registry.get_sample_value("referrals_workers_polling")

    async with build_worker(temporal_env.client, [nothing], task_queue=queue):
        assert await wait_until(polling, lambda found: found == 1, what="a worker", within_s=15)


async def test_shows_the_facts_that_wait_while_temporal_is_away(fresh_database: Database) -> None:
    async def connect() -> Client:
        raise RuntimeError("nobody listens")

    registry = CollectorRegistry()
    vitals = Vitals(fresh_database, connect=connect, task_queue="any", registry=registry, every_s=0)
    await vitals.look()

    polling = registry.get_sample_value("referrals_workers_polling")
    assert polling is not None
    assert math.isnan(polling)
    assert registry.get_sample_value("referrals_temporal_reachable") == 0
    assert registry.get_sample_value("referrals_oldest_unhandled_fact_seconds") == 0


async def test_forgets_what_waits_while_postgres_is_away(temporal_env: WorkflowEnvironment) -> None:
    async with Database.open("postgresql+asyncpg://nobody@127.0.0.1:1/none") as database:
        registry, vitals = a_look(database, temporal_env)
        with pytest.raises(OSError, match="Connect call failed"):
            await vitals.look()

    oldest_s = registry.get_sample_value("referrals_oldest_unhandled_fact_seconds")
    assert oldest_s is not None
    assert math.isnan(oldest_s)
    assert registry.get_sample_value("referrals_postgres_reachable") == 0
    assert registry.get_sample_value("referrals_workers_polling") == 0


def a_look(
    database: Database, env: WorkflowEnvironment, *, queue: str = "nobodys"
) -> tuple[CollectorRegistry, Vitals]:
    async def connect() -> Client:
        return env.client

    registry = CollectorRegistry()
    vitals = Vitals(database, connect=connect, task_queue=queue, registry=registry, every_s=0)
    return registry, vitals


async def test_shows_reviews_that_are_in_no_case_and_cases_past_their_time(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    registry, vitals = a_look(fresh_database, temporal_env)
    await vitals.look()
    states = ("open", "escalated", "overdue", "unfiled")
    assert [cases_that_are(registry, state) for state in states] == [0, 0, 0, 0]
    await hold(fresh_database)
    await vitals.look()
    assert cases_that_are(registry, "unfiled") == 1

    await file_cases(fresh_database)
    await vitals.look()

    assert [cases_that_are(registry, state) for state in states] == [1, 0, 1, 0]


def cases_that_are(registry: CollectorRegistry, state: str) -> float | None:
    return registry.get_sample_value("referrals_cases", {"state": state})
