"""Dead letters as the operations page lists them: what could not be read, and why."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Final

import structlog
from confluent_kafka import KafkaException

from api.console.tables import Column, Kind, Row, Table
from db.engine import Database
from messaging.dead_letters.reading import LetterHead, read_letters
from messaging.dead_letters.replaying import find_open
from messaging.kafka import KafkaCluster
from messaging.topics import INBOUND
from runtime.settings import Settings

MAX_LETTERS: Final = 100
"""Open letters that a page shows; `referrals dlq list` shows all."""
MAX_READ: Final = 10_000
"""Letters that are read to find them: some seconds of the brokers' time."""
TIMEOUT_S: Final = 3.0
"""Time for the brokers to answer before the page is shown without them."""
COLUMNS: Final = (
    Column("Letter", Kind.ID),
    Column("Reason"),
    Column("Put aside", Kind.TIME),
    Column("Status", Kind.BADGE),
)
log = structlog.get_logger()


async def list_letters(settings: Settings, database: Database) -> Table | None:
    """Return the dead letters; None without Kafka, or when its brokers do not answer."""
    cluster = KafkaCluster.of(settings)
    if cluster is None:
        return None
    try:
        async with asyncio.timeout(2 * TIMEOUT_S):
            letters = await asyncio.to_thread(_read, cluster)
    except (KafkaException, TimeoutError) as fault:
        log.warning("dead_letters_unavailable", fault=repr(fault))
        return None
    return Table(
        name="letters",
        columns=COLUMNS,
        rows=[
            Row((letter.id, letter.reason, letter.written_at, "open"))
            for letter in await find_open(database, letters, limit=MAX_LETTERS)
        ],
        empty="No letter is dead: every record could be read, or was replayed.",
    )


def _read(cluster: KafkaCluster) -> Sequence[LetterHead]:
    read = islice(read_letters(cluster, INBOUND, timeout_s=TIMEOUT_S), MAX_READ)
    return [letter.head for letter in read]
