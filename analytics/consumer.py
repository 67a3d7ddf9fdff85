"""Consumer of `referral.events.v1` that fills the warehouse."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaException, Message

from analytics.rows import UNREADABLE, row_of
from analytics.warehouse import Loader, Warehouse
from messaging.kafka import KafkaCluster
from messaging.topics import EVENTS

GROUP: Final = "referrals-warehouse"
BATCH: Final = 20_000
"""Records of one insert; ClickHouse merges few large blocks better than many small ones."""
POLL_S: Final = 2.0
"""Time for which a batch is collected: the warehouse is at most so far behind."""

log = structlog.get_logger()


class WarehouseConsumer:
    """Loads batches and commits each one after its insert: what is read again changes nothing."""

    def __init__(
        self,
        cluster: KafkaCluster,
        warehouse: Warehouse,
        *,
        group: str = GROUP,
        poll_s: float = POLL_S,
    ) -> None:
        self._warehouse = warehouse
        self._poll_s = poll_s
        self._consumer = Consumer(cluster.consumer_properties(group=group))
        self._consumer.subscribe([EVENTS])

    def run(self, stopping: threading.Event) -> None:
        """Load until `stopping` is set; a broker that is away is waited for."""
        try:
            while not stopping.is_set():
                self.load_batch()
        finally:
            self._consumer.close()

    def load_batch(self) -> int:
        """Load what arrives within a poll, and return how many records those were."""
        records = self._consumer.consume(BATCH, timeout=self._poll_s)
        read = [record for record in records if record.error() is None]
        with Loader(self._warehouse) as loader:
            loader.add(rows_of(read))
        if read:
            self._commit()
        return len(read)

    def _commit(self) -> None:
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as fault:
            log.warning("warehouse_commit_failed", error=str(fault))


def rows_of(records: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the rows of records; what cannot be read is logged by its place and passed over."""
    rows = []
    for record in records:
        try:
            row = row_of(_parsed(record))
        except UNREADABLE as fault:
            log.warning(
                "warehouse_record_unreadable",
                partition=record.partition(),
                offset=record.offset(),
                error=type(fault).__name__,
            )
        else:
            if row is not None:
                rows.append(row)
    return rows


def _parsed(record: Message) -> Mapping[str, Any]:
    parsed = json.loads(record.value() or b"null")
    if not isinstance(parsed, dict):
        raise TypeError("an event is a JSON object")
    return parsed
