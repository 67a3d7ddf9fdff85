"""Number of dead letters that are open: kept by their topic, and not replayed."""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from db.engine import Database
from db.faults import DATABASE_FAULTS, describe, is_transient
from messaging.dead_letters.reading import read_letters
from messaging.dead_letters.replaying import REPLAYED
from messaging.inbound.subscription import Partition
from messaging.kafka import KafkaCluster
from referrals.access import audit_views

MAX_READ_LETTERS: Final = 1000
"""Letters of a topic that are looked at; where more are kept, replayed ones count as well."""

log = structlog.get_logger()

Ends = Mapping[Partition, tuple[int, int]]


class OpenLetters:
    """Counts open letters; a topic is read again only after its offsets have changed."""

    def __init__(self, cluster: KafkaCluster, database: Database, *, timeout_s: float) -> None:
        self._cluster = cluster
        self._database = database
        self._timeout_s = timeout_s
        self._read: dict[str, tuple[Ends, frozenset[str]]] = {}
        """Offsets of a topic when it was read last, and the subjects of its letters."""

    async def count(self, topic: str, ends: Ends) -> int:
        """Return the open letters of records of a topic; `ends` are those of its dead letters.

        Raises KafkaException when the brokers do not answer. While Postgres is away, replayed
        letters count as well.
        """
        kept = sum(end - start for start, end in ends.values())
        if kept == 0 or kept > MAX_READ_LETTERS:
            return kept
        if topic not in self._read or self._read[topic][0] != ends:
            self._read[topic] = ends, await asyncio.to_thread(self._subjects, topic)
        subjects = self._read[topic][1]
        return len(subjects) - await self._count_replayed(subjects)

    def _subjects(self, topic: str) -> frozenset[str]:
        letters = read_letters(self._cluster, (topic,), timeout_s=self._timeout_s)
        return frozenset(letter.subject for letter in letters)

    async def _count_replayed(self, subjects: frozenset[str]) -> int:
        try:
            async with self._database.reading() as session:
                return len(await audit_views.acted_on(session, subjects, action=REPLAYED))
        except DATABASE_FAULTS as fault:
            if not is_transient(fault):
                log.warning("replayed_letters_unknown", error=describe(fault))
            return 0
