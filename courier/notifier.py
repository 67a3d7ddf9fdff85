"""Notifier: collects the messages that events cause, and hands on those that are due."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from db.engine import Database
from db.outbox_reader import LeaseLostError, OutboxEvent, OutboxReader, Start
from referrals.notifications.collecting import collect_notifications
from referrals.notifications.handing_on import IS_DUE, hand_on_due

READER: Final = "notifications"
"""Name under which the outbox is read; one courier at a time reads and hands on."""
EVENTS_PER_BATCH: Final = 200
MESSAGES_PER_BATCH: Final = 200


class Notifier:
    """Turns events into messages, each once, and sends none before its time.

    A message is first written down and then, in a transaction of its own, decided upon: what was
    learned in between counts, such as an exclusion. Players are told of what was written since the
    migration that made the tables.
    """

    def __init__(
        self,
        database: Database,
        *,
        no_reminders_in: tuple[str, ...] = (),
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._database = database
        self._no_reminders_in = no_reminders_in
        self._reader = OutboxReader(database, READER, start=Start.NOW)
        self._attempts = Counter(
            "referrals_notifications_total",
            "Messages to players that were due, by what became of them: handed_on, postponed,"
            " suppressed, failed.",
            ["outcome"],
            registry=registry or CollectorRegistry(),
        )

    async def notify(self) -> bool:
        """Do one batch and return whether more is waiting; DATABASE_FAULTS when Postgres is away.

        Does nothing while another courier does it.
        """
        cursor = await self._reader.claim()
        if cursor is None:
            return False
        events = await self._reader.read_after(cursor, limit=EVENTS_PER_BATCH)
        if events and not await self._collect(events):
            return False
        handed_on = await self._hand_on()
        return len(events) == EVENTS_PER_BATCH or handed_on == MESSAGES_PER_BATCH

    async def _hand_on(self) -> int:
        if not await self._database.finds(IS_DUE):
            return 0
        async with self._database.transaction() as session:
            outcomes = await hand_on_due(
                session, limit=MESSAGES_PER_BATCH, no_reminders_in=self._no_reminders_in
            )
        for outcome in outcomes:
            self._attempts.labels(outcome.value).inc()
        return len(outcomes)

    async def _collect(self, events: Sequence[OutboxEvent]) -> bool:
        """Write what events cause; return False when another courier has taken over."""
        try:
            async with self._database.transaction() as session:
                await collect_notifications(session, events)
                await self._reader.advance(session, events[-1].position)
        except LeaseLostError:
            return False
        return True

    async def release(self) -> None:
        """Let another courier begin at once."""
        await self._reader.release()
