"""Scheduled care: Temporal starts it, its results are kept, and verification goes on without it."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

import caretaker
from activities.care.nightly import CareActivities
from courier.vital_gauges import VitalGauges
from db.engine import Database
from referrals.verification.care_runs import Care, NewestCare, newest_care
from referrals.verification.runs import newest_whole_run
from runtime.care_settings import CareSettings
from sandbox.sportsbook.polling import wait_until
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from workflows.care import CareKind, ensure_schedules

KEY: Final = "a key of checkpoints"
PATIENCE_S: Final = 60
ALL_NIGHT: Final = {Care.VERIFY, Care.CHAIN, Care.RETENTION}


@pytest.fixture
def care_settings(fresh_urls: DatabaseUrls, tmp_path: Path) -> CareSettings:
    return CareSettings.model_validate(
        {
            "database_url": fresh_urls.application,
            "checkpoint_directory": tmp_path,
            "checkpoint_key": KEY,
            "task_queue": unique("queue"),
        }
    )


@asynccontextmanager
async def schedules(client: Client, settings: CareSettings) -> AsyncIterator[None]:
    """Create the schedules, and delete them again: the server's clock skips days."""
    await ensure_schedules(client, task_queue=settings.task_queue)
    try:
        yield
    finally:
        for kind in CareKind:
            await client.get_schedule_handle(kind).delete()


async def results(database: Database) -> dict[Care, NewestCare]:
    async with database.reading() as session:
        return await newest_care(session)


async def test_schedules_do_all_care_and_a_red_chain_is_a_finding(
    temporal_env: WorkflowEnvironment,
    fresh_database: Database,
    fresh_superuser: Database,
    care_settings: CareSettings,
) -> None:
    async with fresh_database.transaction() as session:
        await reward_builders.a_rewarded_referral(session)
    await link_everything(fresh_database)
    client = temporal_env.client
    assert care_settings.checkpoint_directory is not None
    file = care_settings.checkpoint_directory / "checkpoints.jsonl"

    async def found() -> dict[Care, NewestCare]:
        return await results(fresh_database)

    worker = caretaker.build_care_worker(client, fresh_database, care_settings)
    async with worker, schedules(client, care_settings):
        await ensure_schedules(client, task_queue=care_settings.task_queue)
        done = await wait_until(
            found, lambda runs: set(runs) == ALL_NIGHT, what="care", within_s=PATIENCE_S
        )
        assert [(run.findings, run.has_failed) for run in done.values()] == [(0, False)] * 3
        assert len(file.read_text().splitlines()) == 1

        async with fresh_superuser.transaction() as session:
            await session.execute(text("set local session_replication_role = replica"))
            await session.execute(text("update codes set created_at = now() - interval '1 year'"))
        again = client.get_schedule_handle(CareKind.CHAIN)
        await again.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        red = await wait_until(
            found, lambda runs: runs[Care.CHAIN].findings > 0, what="a fault", within_s=PATIENCE_S
        )
    assert red[Care.CHAIN].age_s is not None
    assert len(file.read_text().splitlines()) == 1
    async with fresh_database.reading() as reading:
        assert await newest_whole_run(reading) is not None


async def test_a_forged_checkpoint_is_a_finding(
    fresh_database: Database, care_settings: CareSettings, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints.jsonl").write_text("{}\n")
    care = CareActivities(fresh_database, checkpoints=caretaker.checkpoints_of(care_settings))

    await ActivityEnvironment().run(care.check_hash_chain)

    assert (await results(fresh_database))[Care.CHAIN].findings == 1


async def test_a_try_that_fails_is_recorded_beside_the_last_result(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    care = CareActivities(fresh_database)
    await ActivityEnvironment().run(care.let_go_of_what_is_old)
    async with fresh_superuser.transaction() as session:
        await session.execute(text("drop function let_go_of_clicks"))

    with pytest.raises(DBAPIError):
        await ActivityEnvironment().run(care.let_go_of_what_is_old)

    run = (await results(fresh_database))[Care.RETENTION]
    assert (run.findings, run.has_failed, run.age_s is None) == (0, True, False)


async def test_a_kind_that_fails_keeps_no_other_waiting(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    made = """
        with person as (
            insert into people (id, person, name) values (gen_random_uuid(), 'otto', 'Otto')
            returning id
        )
        insert into console_sessions (token_hash, person_id, role, created_at, expires_at)
        select 'old', id, 'auditor', now() - interval '500 days', now() - interval '499 days'
          from person
    """
    async with fresh_superuser.transaction() as session:
        await session.execute(text(made))
        await session.execute(text("drop function let_go_of_clicks"))

    with pytest.raises(DBAPIError):
        await ActivityEnvironment().run(CareActivities(fresh_database).let_go_of_what_is_old)

    async with fresh_database.reading() as session:
        assert await session.scalar(text("select count(*) from console_sessions")) == 0


def test_metrics_show_what_was_never_done_as_infinitely_old() -> None:
    registry = CollectorRegistry()
    gauges = VitalGauges(registry)
    gauges.show_care({Care.CHAIN: NewestCare(age_s=5, findings=2, has_failed=True)})

    def shown(name: str, care: str) -> float | None:
        return registry.get_sample_value(f"referrals_care_{name}", {"care": care})

    assert [shown(name, "chain") for name in ("age_seconds", "findings", "failed")] == [5, 2, 1]
    assert (shown("age_seconds", "verify"), shown("findings", "verify")) == (math.inf, 0)
    assert shown("age_seconds", "reconciliation") is None


@pytest.mark.parametrize("address", [None, "127.0.0.1:1"])
async def test_verifies_without_temporal(
    fresh_database: Database,
    care_settings: CareSettings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    address: str | None,
) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    settings = care_settings.model_copy(update={"temporal_address": address})
    stopping = asyncio.Event()
    running = asyncio.create_task(caretaker.run(settings, interval_s=3600, stopping=stopping))

    async def whole_run() -> object:
        async with fresh_database.reading() as session:
            return await newest_whole_run(session)

    await wait_until(whole_run, lambda run: run is not None, what="a run", within_s=PATIENCE_S)
    stopping.set()
    async with asyncio.timeout(PATIENCE_S):
        await running
