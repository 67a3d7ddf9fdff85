"""The worker process: runs referrals' workflows and their activities."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import stamina
import structlog
from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.runtime import Runtime
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.care.reconciliation import ReconciliationActivities
from activities.cases import CaseActivities
from activities.direct_signals import SignalPolicy
from activities.fraud import FraudActivities, FraudProvider
from activities.interceptor import LogActs
from activities.locked_referrals import LockedReferrals
from activities.recent_evidence import RecentEvidence
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from db.clock import database_now
from db.engine import Database
from db.faults import DATABASE_FAULTS, describe
from integrations.fraud_provider_http import HttpFraudProvider
from integrations.network_database import open_networks
from integrations.wallet_http import HttpWallet
from referrals.attribution.tokens import Tokens
from referrals.wallet.port import Wallet
from runtime.exit import stop_event
from runtime.settings import Settings
from worker_health import WorkerHealth
from workflows.builds import ASKING_BUILD_ID, BUILD_ID, provider_queue_of
from workflows.case.workflow import CaseWorkflow
from workflows.connection import connect_to
from workflows.interceptor import DropMalformedSignals
from workflows.options import ACT_LIMIT
from workflows.reconciliation import ReconcileWorkflow, ensure_schedule
from workflows.referral.workflow import ReferralWorkflow
from workflows.runner import allow_long_turns, runner_for

SHUTDOWN_TIMEOUT: Final = timedelta(seconds=10)
"""For activities in progress at a stop."""
MAX_RECONNECT_BACKOFF_S: Final = 5.0

PROVIDER_SLOTS_FACTOR: Final = 3

MAX_CLOCK_DRIFT: Final = timedelta(minutes=1)
"""Bound between Temporal's clock and the database's: acts ahead of it wait, acts behind it are done
by the database's clock."""

_Result = TypeVar("_Result")
Activities = Sequence[Callable[..., Any]]
log = structlog.get_logger()


def build_activities(
    database: Database,
    settings: Settings,
    fraud_providers: Sequence[FraudProvider] = (),
    *,
    max_clock_drift: timedelta | None = None,
    wallet: Wallet | None = None,
) -> Activities:
    """Build every activity with its dependencies; tests that skip time give no drift."""
    locked = LockedReferrals(
        database,
        hasher=settings.hasher,
        tokens=Tokens(*settings.token_keys),
        max_clock_drift=max_clock_drift,
        has_wallet=settings.has_wallet,
        tax_year_start=settings.tax_year,
        thresholds=settings.yearly_thresholds,
        second_person=settings.second_person_limits,
        direct_signals=SignalPolicy(
            settings.direct_signals,
            tuple(key.get_secret_value() for key in settings.signal_keys.values()),
        ),
        networks=open_networks(settings.network_database),
    )
    recent = RecentEvidence()
    referrals = ReferralActivities(locked)
    rewards = RewardActivities(locked, fraud_providers, recent)
    return [
        referrals.admit_signup,
        referrals.expire_referral,
        FraudActivities(locked, fraud_providers, recent).score_fraud,
        rewards.credit_reward,
        rewards.score_and_credit,
        rewards.resolve_hold,
        rewards.compensate_reward,
        rewards.settle_referral,
        CaseActivities(database, max_clock_drift).attend_case,
        *([ReconciliationActivities(database, wallet).reconcile_wallet] if wallet else []),
    ]


def build_worker(
    client: Client,
    activities: Activities,
    *,
    task_queue: str,
    concurrent_activities: int = 10,
    build_id: str = BUILD_ID,
    meter: MetricMeter = MetricMeter.noop,
) -> Worker:
    """Build a worker; `concurrent_activities` beyond the database pool would only wait for it."""
    worker = Worker(
        client,
        task_queue=task_queue,
        build_id=build_id,
        workflows=[ReferralWorkflow, CaseWorkflow, ReconcileWorkflow],
        activities=activities,
        workflow_runner=runner_for(client.data_converter),
        interceptors=[DropMalformedSignals(), LogActs(meter, acts=_names(activities))],
        max_concurrent_activities=concurrent_activities,
        max_concurrent_local_activities=concurrent_activities,
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )
    allow_long_turns(worker)
    return worker


def build_provider_worker(
    client: Client,
    activities: Activities,
    *,
    task_queue: str,
    concurrent_activities: int = 10,
    meter: MetricMeter = MetricMeter.noop,
) -> Worker:
    """Build the worker of the acts that ask fraud providers, beside that of `task_queue`.

    Every process runs one, with or without providers, so that no act waits for a queue that
    nobody polls after providers were taken out of the settings. Its slots wait for others' answers
    rather than for the database, so it has more of them.
    """
    return Worker(
        client,
        task_queue=provider_queue_of(task_queue),
        activities=activities,
        interceptors=[LogActs(meter, acts=_names(activities))],
        max_concurrent_activities=concurrent_activities * PROVIDER_SLOTS_FACTOR,
        max_concurrent_activity_task_polls=2,
        graceful_shutdown_timeout=SHUTDOWN_TIMEOUT,
    )


def _names(activities: Activities) -> list[str]:
    return [act.__name__ for act in activities]


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; activities in progress are finished first."""
    import uvloop  # noqa: PLC0415 - only a process that runs it needs it

    uvloop.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    stopping = stop_event()
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        # Local acts and those that were handed out share the pool: they wait rather than fail.
        pool_timeout_s=ACT_LIMIT.total_seconds(),
    )
    health = WorkerHealth(settings, database)
    async with health.served():
        connecting = asyncio.create_task(_connect_with_retries(settings, database, health.runtime))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({connecting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            connecting.cancel()
        else:
            await _serve(await connecting, database, settings, stopped, health=health)
    await database.close()


async def _serve(
    client: Client,
    database: Database,
    settings: Settings,
    stopped: asyncio.Task[bool],
    *,
    health: WorkerHealth,
) -> None:
    wallet = _build_wallet(settings)
    provider = _build_fraud_provider(settings)
    activities = build_activities(
        database,
        settings,
        [provider] if provider else [],
        max_clock_drift=MAX_CLOCK_DRIFT,
        wallet=wallet,
    )
    worker = build_worker(
        client,
        activities,
        task_queue=settings.task_queue,
        concurrent_activities=settings.database_pool_size,
        build_id=ASKING_BUILD_ID if provider else BUILD_ID,
        meter=health.meter,
    )
    provider_worker = build_provider_worker(
        client,
        activities,
        task_queue=settings.task_queue,
        concurrent_activities=settings.database_pool_size,
        meter=health.meter,
    )
    async with worker, provider_worker:
        health.work_state = "ok"
        log.info("ready", process="worker")
        scheduling = asyncio.create_task(_schedule_reconciliation(client, settings))
        await stopped
        health.work_state = "stopping"
        scheduling.cancel()
    if wallet is not None:
        await wallet.aclose()
    if provider is not None:
        await provider.aclose()


def _build_fraud_provider(settings: Settings) -> HttpFraudProvider | None:
    if settings.fraud_provider_url is None or settings.fraud_provider_token is None:
        return None
    return HttpFraudProvider(
        settings.fraud_provider_url,
        name=settings.fraud_provider_name,
        token=settings.fraud_provider_token.get_secret_value(),
    )


def _build_wallet(settings: Settings) -> HttpWallet | None:
    if settings.wallet_url is None or settings.wallet_token is None:
        return None
    return HttpWallet(settings.wallet_url, token=settings.wallet_token.get_secret_value())


async def _schedule_reconciliation(client: Client, settings: Settings) -> None:
    """Ensure the daily reconciliation where there is a wallet, retrying without an end."""
    if not settings.has_wallet:
        return
    attempts = stamina.retry_context(
        on=RPCError, attempts=None, timeout=None, wait_max=MAX_RECONNECT_BACKOFF_S
    )
    async for attempt in attempts:
        with attempt:
            await ensure_schedule(client, task_queue=settings.task_queue)


async def _connect_with_retries(
    settings: Settings, database: Database, runtime: Runtime | None
) -> Client:
    """Connect to Temporal, and return when Postgres answers; both may come up later."""
    client = await _retry(lambda: connect_to(settings.temporal, lazy=False, runtime=runtime))
    await _retry(lambda: _ask(database))
    return client


async def _ask(database: Database) -> datetime:
    async with database.reading() as session:
        return await database_now(session)


async def _retry(attempt_once: Callable[[], Awaitable[_Result]]) -> _Result:
    """Retry without an end while what is asked is away."""
    attempts = stamina.retry_context(
        on=_log_waiting, attempts=None, timeout=None, wait_max=MAX_RECONNECT_BACKOFF_S
    )
    async for attempt in attempts:
        with attempt:
            return await attempt_once()
    raise AssertionError("stamina retries without an end")


def _log_waiting(fault: Exception) -> bool:
    """Return whether a fault of connecting passes, and say so."""
    if not isinstance(fault, (RuntimeError, RPCError, *DATABASE_FAULTS)):
        return False
    log.warning("worker_waits", error=describe(fault))
    return True
