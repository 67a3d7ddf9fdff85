"""The courier process: routes facts to referrals and sends deliveries to their workflows."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from courier.carrier import Carrier
from courier.chainer import Chainer
from courier.fraud.case_carrier import CaseCarrier
from courier.fraud.late_links import LateLinks
from courier.fraud.signup_assessor import SignupAssessor
from courier.metrics import serve_health
from courier.notifier import Notifier
from courier.overdue import OverdueHealer
from courier.pacing.rate_limiter import RateLimiter
from courier.payer import MAX_CONCURRENT_TRANSACTIONS, Payer
from courier.router import MAX_CONCURRENT_PLAYERS, MAX_WAITING_PLAYERS, Router
from courier.streams import build_streams
from courier.vitals import Vitals
from courier.webhooks import MAX_RECORDINGS, build_webhook_loops
from courier.work_loop import Loop, WorkLoop
from db.engine import Database
from db.notifications import FACTS, INVITATIONS, PAYMENTS, listen
from integrations.network_database import open_networks
from integrations.wallet_http import HttpWallet
from integrations.webhook_sender import WebhookSender
from messaging.kafka import KafkaCluster
from messaging.outbox_watch import SLOT, OutboxWatch
from messaging.relay import Relay
from referrals.attribution.tokens import Tokens
from referrals.lifecycle.deliveries import Lane
from referrals.webhooks.secrets import SecretKey
from runtime.exit import stop_event
from runtime.kafka_settings import EventsPublisher
from runtime.pool_metrics import show_pool
from runtime.settings import Settings
from workflows.connection import connect_to

SHUTDOWN_TIMEOUT_S: Final = 8.0
"""Longer than one call to Temporal, so that the batch in progress is finished."""
_LOOPS_WITH_ONE: Final = 15
"""Leasing players, carrying updates and invitations, healing, following late links, assessing
signups, linking the hash chain, filing cases, publishing, watching the outbox, looking at vital
signs, notifying, recording events from Kafka, writing webhooks, and leasing them."""
MIN_POOL_SIZE: Final = (
    _LOOPS_WITH_ONE
    + MAX_CONCURRENT_PLAYERS
    + MAX_WAITING_PLAYERS
    + MAX_CONCURRENT_TRANSACTIONS
    + MAX_RECORDINGS
)
"""Connections that may be in use at once: one of each loop, and those of the loops with more."""

log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT."""
    uvloop.run(_run_until_stopped(settings))
    return 0


async def _run_until_stopped(settings: Settings) -> None:
    await run(settings, stopping=stop_event())


async def run(settings: Settings, *, stopping: asyncio.Event) -> None:
    """Run until `stopping` is set; Postgres and Temporal may be away at the start and later."""
    pool_size = max(settings.database_pool_size, MIN_POOL_SIZE)
    database = Database(settings.database_url, pool_size=pool_size)
    sender = WebhookSender(settings.webhook_addresses)
    metrics = CollectorRegistry()
    show_pool(metrics, in_use=database.connections_in_use, size=pool_size)
    listens = asyncio.Event()
    delivering = _build_loops(settings, database)
    vitals = _build_vitals(settings, database, metrics)
    loops = (
        *delivering,
        _healing(settings, database, metrics),
        *_publishing(settings, database, metrics),
        *_paying(settings, database, metrics),
        _notifying(settings, database, metrics),
        WorkLoop("looking at vital signs", vitals.look, wake_payload=None),
        _linking(settings, database, metrics),
        *build_webhook_loops(database, sender, metrics, key=SecretKey(*settings.token_keys)),
    )
    networks = open_networks(settings.network_database)
    streams = build_streams(settings, database, metrics, networks)
    async with serve_health(settings, database, metrics, loops=loops, vitals=vitals):
        tasks = [asyncio.create_task(loop.run()) for loop in (*loops, *streams)]
        tasks.append(asyncio.create_task(_say_ready(listens, delivering[:3])))
        wake = partial(_wake, loops, listens)
        tasks.append(asyncio.create_task(listen(settings.database_url, wake)))
        await stopping.wait()
        await _stop((*loops, *streams), tasks)
    await sender.close()
    await database.close()


def _build_loops(settings: Settings, database: Database) -> tuple[WorkLoop, ...]:
    tokens = Tokens(*settings.token_keys)
    router = Router(database, tokens=tokens)
    connecting = partial(connect_to, settings.temporal)
    carrier = partial(Carrier, database, connect=connecting, task_queue=settings.task_queue)
    cases = CaseCarrier(database, connect=connecting, task_queue=settings.task_queue)
    rate_limiter = RateLimiter(settings.invitations_per_second)
    updates = carrier(lane=Lane.UPDATES)
    invitations = carrier(lane=Lane.INVITATIONS, rate_limiter=rate_limiter)
    return (
        WorkLoop("routing", router.route, wake_payload=FACTS, close=router.finish),
        WorkLoop("carrying", updates.carry, close=updates.finish),
        WorkLoop("inviting", invitations.carry, wake_payload=INVITATIONS, close=invitations.finish),
        WorkLoop("following late links", LateLinks(database).follow, wake_payload=None),
        WorkLoop("assessing signups", SignupAssessor(database).assess, wake_payload=None),
        # Each look takes a lock: a poll is soon enough.
        WorkLoop("filing cases", cases.carry, wake_payload=None),
    )


def _publishing(
    settings: Settings, database: Database, metrics: CollectorRegistry
) -> tuple[WorkLoop, ...]:
    cluster = KafkaCluster.of(settings)
    is_debezium = settings.events_publisher is EventsPublisher.DEBEZIUM
    watch = OutboxWatch(database, registry=metrics, slot=SLOT if is_debezium else None)
    watching = WorkLoop("watching the outbox", watch.look, wake_payload=None)
    if cluster is None or is_debezium:
        return (watching,)
    relay = Relay(database, cluster)
    return (WorkLoop("publishing", relay.publish, close=relay.close), watching)


def _paying(
    settings: Settings, database: Database, metrics: CollectorRegistry
) -> tuple[WorkLoop, ...]:
    if settings.wallet_url is None or settings.wallet_token is None:
        return ()
    wallet = HttpWallet(settings.wallet_url, token=settings.wallet_token.get_secret_value())
    payer = Payer(database, wallet, registry=metrics)
    return (WorkLoop("paying", payer.pay, wake_payload=PAYMENTS, close=wallet.aclose),)


def _notifying(settings: Settings, database: Database, metrics: CollectorRegistry) -> WorkLoop:
    notifier = Notifier(
        database, no_reminders_in=settings.jurisdictions_without_reminders, registry=metrics
    )
    # Facts must not wake a loop that writes at each look: a poll is soon enough.
    return WorkLoop("notifying", notifier.notify, wake_payload=None, close=notifier.release)


def _build_vitals(settings: Settings, database: Database, metrics: CollectorRegistry) -> Vitals:
    return Vitals(
        database,
        connect=partial(connect_to, settings.temporal),
        task_queue=settings.task_queue,
        registry=metrics,
    )


def _linking(settings: Settings, database: Database, metrics: CollectorRegistry) -> WorkLoop:
    chainer = Chainer.of(settings, database, metrics)
    return WorkLoop("linking", chainer.link, wake_payload=None, close=chainer.close)


def _healing(settings: Settings, database: Database, metrics: CollectorRegistry) -> WorkLoop:
    healer = OverdueHealer(
        database,
        connect=partial(connect_to, settings.temporal),
        task_queue=settings.task_queue,
        registry=metrics,
    )
    return WorkLoop("healing", healer.heal, wake_payload=None)


async def _say_ready(listens: asyncio.Event, delivering: tuple[WorkLoop, ...]) -> None:
    """Report readiness when the process has read what it delivers, and hears of news."""
    await listens.wait()
    for loop in delivering:
        await loop.succeeded.wait()
    log.info("ready")


def _wake(loops: tuple[WorkLoop, ...], listens: asyncio.Event, payload: str | None) -> None:
    listens.set()
    for loop in loops:
        if payload is None or payload == loop.wake_payload:
            loop.wake_up.set()


async def _stop(loops: tuple[Loop, ...], tasks: list[asyncio.Task[None]]) -> None:
    for loop in loops:
        loop.stop()
    *working, reporting, listening = tasks
    reporting.cancel()
    listening.cancel()
    await asyncio.wait(working, timeout=SHUTDOWN_TIMEOUT_S)
    for task in working:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)
