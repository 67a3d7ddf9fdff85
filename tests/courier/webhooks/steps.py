"""Steps that tests of the courier's webhooks share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry
from sqlalchemy import select, text

from courier.webhook_metrics import WebhookMetrics
from courier.webhooks import Sender, WebhookDeliverer, WebhookLoop, WebhookWriter
from courier.work_loop import WorkLoop
from db.engine import Database
from db.tables import OutboxRow, WebhookDelivery, WebhookRow
from referrals.access.audit import Actor
from referrals.webhooks import subscriptions
from referrals.webhooks.secrets import SecretKey
from referrals.webhooks.subscriptions import NewSecret
from tests.db.outbox_writers import write_one

ACTOR = Actor(name="tests", request_id=None, reason="a test")
SECRET = "a key for tests, not a secret"
KEY = SecretKey(SECRET)
ALL = ("*",)


@dataclass
class Webhooks:
    """Webhooks, their events and deliveries on one database."""

    database: Database
    sender: Sender
    deliverers: list[WebhookDeliverer] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.metrics = WebhookMetrics(self.registry)

    def deliverer(self, **options: Any) -> WebhookDeliverer:  # noqa: ANN401 - any option
        deliverer = WebhookDeliverer(
            self.database, **{"sender": self.sender, "metrics": self.metrics, "key": KEY, **options}
        )
        self.deliverers.append(deliverer)
        return deliverer

    def loops(self) -> tuple[WorkLoop, WorkLoop]:
        """Make the courier's loops, which write deliveries and send them."""
        writing = WorkLoop("webhook-events", WebhookWriter(self.database, self.metrics).write)
        return writing, WebhookLoop("webhooks", self.deliverer())

    async def create(self, url: str, types: Sequence[str] = ALL) -> NewSecret:
        async with self.database.transaction() as session:
            created = await subscriptions.create(
                session, url=url, types=types, key=KEY, actor=ACTOR
            )
        assert created is not None
        return created

    async def happen(self, count: int = 1, *, key: str | None = None) -> list[UUID]:
        """Write events, and what is to be delivered of them."""
        events = [await write_one(self.database, key) for _ in range(count)]
        await self.write()
        return events

    async def write(self) -> None:
        writer = WebhookWriter(self.database, self.metrics)
        while await writer.write():
            pass
        await writer.release()

    async def deliver(self, deliverer: WebhookDeliverer | None = None) -> None:
        """Attempt everything that is due, and wait for the results."""
        deliverer = deliverer or self.deliverer()
        await deliverer.finish()
        while await deliverer.deliver():
            await deliverer.finish()

    async def deliveries(self, webhook_id: UUID) -> list[WebhookDelivery]:
        query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(WebhookDelivery.seq)))

    async def delivery(self, webhook_id: UUID) -> WebhookDelivery:
        (only,) = await self.deliveries(webhook_id)
        return only

    async def webhook(self, webhook_id: UUID) -> WebhookRow:
        async with self.database.reading() as session:
            return await session.get_one(WebhookRow, webhook_id)

    async def events(self, type_: str) -> list[OutboxRow]:
        query = select(OutboxRow).where(OutboxRow.type == type_)
        async with self.database.reading() as session:
            return list(await session.scalars(query))

    async def let_pass(self, interval: str) -> None:
        """Let time pass for everything that waits: what is stored moves into the past."""
        moved = {
            "webhook_deliveries": ("next_attempt_at", "leased_until", "due_since", "finished_at"),
            "webhooks": ("active_since", "failing_since", "paused_until"),
            "webhook_secrets": ("valid_until",),
        }
        async with self.database.transaction() as session:
            for table, columns in moved.items():
                earlier = ", ".join(f"{c} = {c} - interval '{interval}'" for c in columns)
                await session.execute(text(f"update {table} set {earlier}"))  # noqa: S608
