"""Linking of new rows into the hash chain, and checkpoints of it outside the database."""

import asyncio
import time
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from db.engine import Database
from referrals.chain.checkpoints import Checkpoint, append_checkpoint
from referrals.chain.linking import BATCH_ROWS, link_new_rows, newest_checkpoint
from runtime.settings import Settings

CHECKPOINT_INTERVAL_S: Final = 60.0
"""Time between two checkpoints: what an owner of the database rewrites within it is not seen."""


class Chainer:
    """Links rows that are new, and writes a checkpoint now and then if it has a directory."""

    def __init__(
        self,
        database: Database,
        *,
        directory: Path | None,
        key: bytes,
        registry: CollectorRegistry,
        interval_s: float = CHECKPOINT_INTERVAL_S,
    ) -> None:
        self._database = database
        self._directory = directory
        self._key = key
        self._interval_s = interval_s
        self._newest: Checkpoint | None = None
        self._next_at = 0.0
        self._links = Gauge(
            "referrals_chain_checkpoint_links",
            "Number of the link of the newest checkpoint.",
            registry=registry,
        )
        self._written = Gauge(
            "referrals_chain_checkpoint_timestamp_seconds",
            "Time of the newest checkpoint that this process wrote.",
            registry=registry,
        )

    @classmethod
    def of(cls, settings: Settings, database: Database, registry: CollectorRegistry) -> "Chainer":
        key = settings.checkpoint_key
        return cls(
            database,
            directory=settings.checkpoint_directory,
            key=key.get_secret_value().encode() if key else b"",
            registry=registry,
        )

    async def link(self) -> bool:
        """Link a batch, write a checkpoint when one is due, and return whether more may wait."""
        linked = await link_new_rows(self._database)
        if self._directory is not None and time.monotonic() >= self._next_at:
            await self._write_checkpoint(self._directory)
        return linked == BATCH_ROWS

    async def close(self) -> None:
        """Write the last checkpoint."""
        if self._directory is not None:
            await self._write_checkpoint(self._directory)

    async def _write_checkpoint(self, directory: Path) -> None:
        async with self._database.reading() as session:
            newest = await newest_checkpoint(session)
        if newest is not None and newest != self._newest:
            await asyncio.to_thread(append_checkpoint, directory, newest, self._key)
            self._links.set(newest.seq)
            self._written.set_to_current_time()
            self._newest = newest
        self._next_at = time.monotonic() + self._interval_s
