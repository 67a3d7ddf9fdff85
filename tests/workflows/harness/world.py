"""The world that referrals live in: a Temporal server, a database, a worker and a courier."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.fraud import FraudProvider
from courier.carrier import Carrier
from db.engine import Database
from runtime.settings import Settings
from tests.builders import Offer, an_offer, unique
from tests.workflows.harness.activity_hooks import ActivityHooks
from worker import build_activities, build_provider_worker, build_worker
from workflows.builds import BUILD_ID


@dataclass(frozen=True, slots=True)
class World:
    """A Temporal server with a skipping clock, a database, a worker and a courier."""

    env: WorkflowEnvironment
    database: Database
    carrier: Carrier
    hooks: ActivityHooks
    task_queue: str
    carrying: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def carry(self) -> None:
        """Carry all due deliveries, with the real clock meanwhile."""
        # Lives that are played at once share the carrier, and would carry each other's.
        async with self.carrying:
            with self.env.with_time_skipping_disabled():
                while await self.carrier.carry():
                    pass

    async def offer(self, **options: Any) -> Offer:  # noqa: ANN401 - those of the builder
        async with self.database.transaction() as session:
            return await an_offer(session, **options)


@asynccontextmanager
async def running_world(
    env: WorkflowEnvironment,
    database: Database,
    settings: Settings,
    *,
    task_queue: str | None = None,
    build_id: str = BUILD_ID,
    providers: Sequence[FraudProvider] = (),
) -> AsyncIterator[World]:
    hooks, task_queue = ActivityHooks(), task_queue or unique("lives")

    async def connect() -> Client:
        return env.client

    carrier = Carrier(database, connect=connect, task_queue=task_queue, patience_s=60.0)
    activities = build_activities(database, settings, providers)
    client = hooks.attach_to(env.client)
    async with (
        build_worker(client, activities, task_queue=task_queue, build_id=build_id),
        build_provider_worker(client, activities, task_queue=task_queue),
    ):
        yield World(env, database, carrier, hooks, task_queue)
