"""Activities of scheduled care in the verifier process: verification, chain, retention."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from temporalio import activity

from activities.care.recorded import CareResult, recorded_care
from db.clock import database_now
from db.engine import Database
from db.faults import DATABASE_FAULTS, describe
from referrals.access.audit import Actor
from referrals.chain.checking import check_chain
from referrals.chain.checkpoints import (
    Checkpoint,
    CheckpointError,
    append_checkpoint,
    read_checkpoints,
)
from referrals.chain.linking import newest_checkpoint
from referrals.personal.retention import DEFAULT_DAYS, let_go_of_all, periods_of
from referrals.verification.care_runs import Care
from referrals.verification.runs import Mode
from referrals.verification.verify import run_verification

_log = structlog.get_logger()
_BY_SCHEDULE: Final = Actor(name="schedule", request_id=None, reason="scheduled retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStore:
    """Directory of checkpoints, and the key that signs them."""

    directory: Path
    key: bytes


@dataclass(frozen=True, slots=True)
class CareFindings:
    """Number of violations or differences."""

    findings: int


class CareActivities:
    """Scheduled care; its database waits for statements that read whole tables."""

    def __init__(
        self,
        database: Database,
        *,
        checkpoints: CheckpointStore | None = None,
        kept_for: Mapping[str, timedelta] | None = None,
    ) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._kept_for = periods_of(DEFAULT_DAYS, {}) if kept_for is None else kept_for

    @activity.defn
    async def verify_everything(self) -> CareFindings:
        """Check every invariant over every row, and store the run as `referrals verify` does."""
        async with recorded_care(self._database, Care.VERIFY) as result:
            report = await run_verification(self._database, mode=Mode.WHOLE)
            failed = [check.name for check in report.checks if not check.ok]
            result.findings, result.details["checks"] = len(failed), failed
        return CareFindings(result.findings)

    @activity.defn
    async def check_hash_chain(self) -> CareFindings:
        """Check the hash chain against its rows and checkpoints; a green one gets a checkpoint."""
        async with recorded_care(self._database, Care.CHAIN) as result:
            try:
                await self._check_chain(result)
            except CheckpointError as forged:
                result.findings, result.details = 1, {"faults": [str(forged)]}
        return CareFindings(result.findings)

    async def _check_chain(self, result: CareResult) -> None:
        store = self._checkpoints
        checkpoints: tuple[Checkpoint, ...] = ()
        if store is not None:
            checkpoints = tuple(
                await asyncio.to_thread(read_checkpoints, store.directory, store.key)
            )
        async with self._database.reading() as session:
            newest = await newest_checkpoint(session)
        report = await check_chain(self._database, checkpoints)
        result.findings = len(report.faults)
        result.details = {
            "links": report.links,
            "checkpoints": report.checkpoints,
            "faults": [str(fault) for fault in report.faults],
        }
        # It was read before the check, which therefore covers it.
        is_new = newest is not None and (not checkpoints or checkpoints[-1].seq < newest.seq)
        # A verifier that may only read the directory leaves checkpoints to the courier.
        may_write = store is not None and os.access(store.directory, os.W_OK)
        if report.ok and store is not None and newest is not None and is_new and may_write:
            await asyncio.to_thread(append_checkpoint, store.directory, newest, store.key)

    @activity.defn
    async def let_go_of_what_is_old(self) -> CareFindings:
        """Let go of rows past their age, kind by kind; a fault of one keeps no other waiting."""
        faults: list[Exception] = []
        async with recorded_care(self._database, Care.RETENTION) as result:
            async with self._database.reading() as session:
                now = await database_now(session)
            for kind, age in self._kept_for.items():
                try:
                    result.details[kind] = await let_go_of_all(
                        self._database, kind, _BY_SCHEDULE, before=now - age
                    )
                except DATABASE_FAULTS as fault:
                    _log.warning("retention_failed", kind=kind, reason=describe(fault))
                    faults.append(fault)
            if faults:
                raise faults[0]
        return CareFindings(0)
