"""A watch over publishing: its lag as metrics, and a warning when Debezium's slot is gone."""

import time
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from db.engine import Database
from db.outbox_lag import DEBEZIUM, SlotLag, load_outbox_lag, load_slot_lag
from db.outbox_reader import OutboxReader, Start

LOOK_EVERY_S: Final = 5.0
SLOT: Final = "referrals_outbox"
"""Name of the slot in deploy/connect/outbox.json."""

log = structlog.get_logger()


class OutboxWatch:
    """Looks every few seconds; one for each courier."""

    def __init__(
        self,
        database: Database,
        *,
        registry: CollectorRegistry,
        slot: str | None,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Watch the relay's backlog, or with a `slot` the replication slot of that name."""
        self._database = database
        self._slot = slot
        self._every_s = every_s
        self._reader = OutboxReader(database, DEBEZIUM, start=Start.NOW)
        self._next_look = time.monotonic()
        self._was_missing = False
        self._events = Gauge(
            "referrals_outbox_unpublished",
            "Events that the relay has not published, 10000 at most",
            registry=registry,
        )
        self._age = Gauge(
            "referrals_outbox_age_seconds",
            "Age of the oldest event that the relay has not published",
            registry=registry,
        )
        self._lag = Gauge(
            "referrals_outbox_slot_lag_bytes",
            "WAL that Debezium has not confirmed",
            registry=registry,
        )
        self._missing = Gauge(
            "referrals_outbox_slot_missing",
            "1 when Debezium is the publisher and its slot is gone or lost, or 0",
            registry=registry,
        )

    async def look(self) -> bool:
        """Look if it is time to; return False, for there is never more to do."""
        if time.monotonic() < self._next_look:
            return False
        if self._slot is not None:
            await self._look_at_slot(self._slot)
        async with self._database.reading() as session:
            lag = await load_outbox_lag(session)
        self._events.set(lag.events)
        self._age.set(lag.age_s)
        self._next_look = time.monotonic() + self._every_s
        return False

    async def _look_at_slot(self, slot: str) -> None:
        # Says who publishes: without that, all events since the relay would count as late.
        await self._reader.claim()
        async with self._database.reading() as session:
            found = await load_slot_lag(session, slot)
        is_missing = found is None or found.wal_status == "lost"
        self._missing.set(is_missing)
        self._lag.set(found.lag_bytes if found else 0)
        self._log_change(slot, found, is_missing=is_missing)

    def _log_change(self, slot: str, found: SlotLag | None, *, is_missing: bool) -> None:
        if is_missing and not self._was_missing:
            log.error("outbox_slot_missing", slot=slot, wal_status=found and found.wal_status)
        elif self._was_missing and not is_missing:
            log.info("outbox_slot_found", slot=slot)
        self._was_missing = is_missing
