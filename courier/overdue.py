"""Self-healing: wakes referrals whose deadline passed unnoticed, and starts lost workflows.

Whoever reaches Temporal can terminate a workflow just after something was delivered to it, or begin
one of their own under its id, which hears what is delivered and does nothing. A minute later the
workflow is started again.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Gauge
from temporalio.client import Client

from courier.temporal_sender import (
    RunNotComparedError,
    TemporalTarget,
    is_foreign,
    is_running,
    start_referral,
)
from db.engine import Database
from db.faults import describe
from domain.lifecycle.referral import Referral
from domain.lifecycle.signals import Signal
from referrals.lifecycle.overdue import count_overdue, overdue_referrals
from referrals.lifecycle.unheard import WITHIN, unheard_referrals

GRACE: Final = timedelta(minutes=1)
"""Time after its deadline that a workflow has to act by itself."""
INTERVAL_S: Final = 20.0
BATCH_SIZE: Final = 32
"""Referrals woken in one pass, at the same time."""
PATIENCE_S: Final = 600.0
"""Seconds before a referral is woken again: its worker may be away, and each wake-up is an event of
its history."""
UNCOMPARED_PATIENCE_S: Final = 60.0
"""Seconds before a run that could not be compared is tried again: a codec's key service may be
back, and meanwhile the others have their turn."""

log = structlog.get_logger()


class _Run(Enum):
    """Owner of a referral's open run."""

    OURS = auto()
    REPLACED = auto()
    """Somebody else's, in whose place ours has begun."""
    NOT_COMPARED = auto()


class OverdueHealer:
    """Counts overdue referrals and starts their workflows; one that runs only looks once more."""

    def __init__(
        self,
        database: Database,
        *,
        connect: Callable[[], Awaitable[Client]],
        task_queue: str,
        registry: CollectorRegistry | None = None,
        grace: timedelta = GRACE,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._connect = connect
        self.task_queue = task_queue
        self._grace = grace
        self._clock_s = clock_s
        self._target: TemporalTarget | None = None
        self._looked_s = -math.inf
        self._wake_from_s: dict[UUID, float] = {}
        """Times until which referrals are not woken again."""
        self._compare_from_s: dict[UUID, float] = {}
        """The same for comparing their runs, so that each is compared once for a delivery."""
        self._overdue = Gauge(
            "referrals_overdue",
            "Open referrals whose deadline passed a minute ago or more and that nothing woke.",
            registry=registry or CollectorRegistry(),
        )

    async def heal(self) -> bool:
        """Look once each INTERVAL_S, and return whether more may be waiting.

        Raises RPCError when Temporal takes none of the wake-ups.
        """
        if self._clock_s() - self._looked_s < INTERVAL_S:
            return False
        async with self._database.reading() as session:
            self._overdue.set(await count_overdue(session, grace=self._grace))
            overdue = await overdue_referrals(
                session, grace=self._grace, excluding=self._recently_woken(), limit=BATCH_SIZE
            )
            unheard = await unheard_referrals(
                session, grace=self._grace, excluding=self._recently_compared(), limit=BATCH_SIZE
            )
        await self._wake(overdue)
        await self._start_deaf(unheard)
        if len(overdue) < BATCH_SIZE:
            self._looked_s = self._clock_s()
            return False
        return True

    def _recently_woken(self) -> Sequence[UUID]:
        self._wake_from_s = self._still_waiting(self._wake_from_s)
        return tuple(self._wake_from_s)

    def _recently_compared(self) -> Sequence[UUID]:
        self._compare_from_s = self._still_waiting(self._compare_from_s)
        return tuple(self._compare_from_s)

    def _still_waiting(self, from_s: Mapping[UUID, float]) -> dict[UUID, float]:
        now_s = self._clock_s()
        return {id_: at_s for id_, at_s in from_s.items() if at_s > now_s}

    async def _target_now(self) -> TemporalTarget:
        if self._target is None:
            self._target = TemporalTarget(await self._connect(), self.task_queue)
        return self._target

    async def _start_deaf(self, unheard: Sequence[Referral]) -> None:
        """Begin anew what has no open run, or somebody else's; the others stay as they are.

        Raises RPCError when Temporal does not answer.
        """
        if not unheard:
            return
        target = await self._target_now()
        compared = await asyncio.gather(*(_start_if_deaf(target, each) for each in unheard))
        for referral, is_compared in zip(unheard, compared, strict=True):
            patience_s = WITHIN.total_seconds() if is_compared else UNCOMPARED_PATIENCE_S
            self._compare_from_s[referral.referral_id] = self._clock_s() + patience_s

    async def _wake(self, overdue: Sequence[Referral]) -> None:
        if not overdue:
            return
        target = await self._target_now()
        results = await asyncio.gather(
            *(_wake_one(target, referral) for referral in overdue),
            return_exceptions=True,
        )
        faults = [result for result in results if isinstance(result, Exception)]
        if faults and len(faults) == len(overdue):
            raise faults[0]
        for fault in faults:
            log.error("overdue_referral_not_woken", error=describe(fault))
        for referral, result in zip(overdue, results, strict=True):
            if isinstance(result, bool):
                self._put_off(referral, is_woken=result)

    def _put_off(self, referral: Referral, *, is_woken: bool) -> None:
        patience_s = PATIENCE_S if is_woken else UNCOMPARED_PATIENCE_S
        self._wake_from_s[referral.referral_id] = self._clock_s() + patience_s
        if is_woken:
            log.warning("overdue_referral_woken", referral_id=str(referral.referral_id))


async def _start_if_deaf(target: TemporalTarget, referral: Referral) -> bool:
    """Return whether it is known whose run it is."""
    if not await is_running(target, referral):
        await start_referral(target, referral, signal=Signal.LOOK)
        log.warning("closed_workflow_started", referral_id=str(referral.referral_id))
        return True
    return await _replace_foreign(target, referral) is not _Run.NOT_COMPARED


async def _wake_one(target: TemporalTarget, referral: Referral) -> bool:
    """Return whether it was woken: not where it is unknown whose run it is."""
    # Only a run that is open could lose signals by being replaced.
    is_open = await is_running(target, referral)
    run = await _replace_foreign(target, referral) if is_open else _Run.OURS
    if run is _Run.OURS:
        await start_referral(target, referral, signal=Signal.LOOK)
    return run is not _Run.NOT_COMPARED


async def _replace_foreign(target: TemporalTarget, referral: Referral) -> _Run:
    """Begin a referral's run anew where somebody else began it, and return whose it was.

    A run that cannot be compared is left alone: terminating one of ours would lose facts that were
    signalled to it and that no act has recorded.
    """
    referral_id = str(referral.referral_id)
    try:
        if not await is_foreign(target, referral):
            return _Run.OURS
    except RunNotComparedError as fault:
        log.error("run_not_compared", referral_id=referral_id, error=str(fault))  # noqa: TRY400 - not a bug
        return _Run.NOT_COMPARED
    await start_referral(target, referral, signal=Signal.LOOK, restart=True)
    log.error("foreign_workflow_replaced", referral_id=referral_id)
    return _Run.REPLACED
