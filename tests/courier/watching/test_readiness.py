"""Readiness of the courier, and the metrics of its loops."""

import asyncio
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from temporalio.testing import WorkflowEnvironment

from courier.metrics import WorkMetrics, courier_readiness
from courier.vitals import Vitals
from courier.work_loop import FAILING_FROM, WorkLoop
from db.engine import Database
from runtime.settings import Settings
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls

NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/none"


async def nothing() -> bool:
    return False


async def away() -> bool:
    raise ConnectionRefusedError


async def a_loop(name: str, batch: object = nothing, *, rounds: int = 1) -> WorkLoop:
    """Return a loop that has run so many rounds, or failed in them."""
    left = rounds

    async def run_batch() -> bool:
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()
        return await batch()  # type: ignore[operator,no-any-return]

    loop = WorkLoop(name, run_batch)
    await loop.run()
    return loop


async def all_loops(*others: WorkLoop) -> Sequence[WorkLoop]:
    return (*[await a_loop(name) for name in ("routing", "carrying", "inviting")], *others)


def a_look(database: Database, env: WorkflowEnvironment) -> Vitals:
    async def connect() -> object:
        return env.client

    return Vitals(
        database,
        connect=connect,  # type: ignore[arg-type]
        task_queue=unique("queue"),
        registry=CollectorRegistry(),
        every_s=0,
    )


def reaching(settings: Settings, env: WorkflowEnvironment) -> Settings:
    address = env.client.service_client.config.target_host
    return settings.model_copy(update={"temporal_address": address})


async def test_is_ready_with_its_servers_and_says_that_no_worker_polls(
    shared_urls: DatabaseUrls, settings: Settings, temporal_env: WorkflowEnvironment
) -> None:
    async with Database.open(shared_urls.application) as database:
        vitals = a_look(database, temporal_env)
        publishing = await a_loop("publishing", away, rounds=FAILING_FROM)
        asked = courier_readiness(
            reaching(settings, temporal_env),
            database,
            loops=await all_loops(publishing),
            vitals=vitals,
        )
        await vitals.look()
        report = await asked.ask()

    assert report.is_ready
    assert report.dependencies == {
        "postgres": "ok",
        "temporal": "ok",
        "routing": "ok",
        "carrying": "ok",
        "inviting": "ok",
        "workers": "none",
        "publishing": "failing",
    }


async def test_is_not_ready_without_postgres_and_before_its_first_round(
    settings: Settings, temporal_env: WorkflowEnvironment
) -> None:
    async with Database.open(NOWHERE) as database:
        loops = (*await all_loops(), WorkLoop("routing", nothing))
        vitals = a_look(database, temporal_env)
        asked = courier_readiness(
            reaching(settings, temporal_env), database, loops=loops, vitals=vitals
        )
        report = await asked.ask()

    assert not report.is_ready
    assert report.dependencies["postgres"] == "unavailable"
    assert report.dependencies["routing"] == "starting"
    assert report.dependencies["workers"] == "unknown"


async def test_shows_the_failures_of_each_kind_of_work() -> None:
    registry = CollectorRegistry()
    paying = await a_loop("paying", away, rounds=FAILING_FROM)
    registry.register(WorkMetrics([paying, await a_loop("routing")]))

    def failures(work: str) -> float | None:
        return registry.get_sample_value("referrals_courier_work_failures", {"work": work})

    assert (failures("paying"), failures("routing")) == (FAILING_FROM, 0)
    age_s = registry.get_sample_value("referrals_courier_work_age_seconds", {"work": "paying"})
    assert age_s is not None
    assert age_s > 0


async def test_work_that_comes_back_is_well_again() -> None:
    answers = [away] * FAILING_FROM + [nothing]
    states: list[str] = []

    async def run_batch() -> bool:
        states.append(loop.state)
        answer = answers.pop(0)
        if not answers:
            loop.stop()
        return await answer()

    loop = WorkLoop("carrying", run_batch)
    await asyncio.wait_for(loop.run(), 60)

    assert states == ["starting", "starting", "starting", "failing"]
    assert (loop.state, loop.failures) == ("ok", 0)
