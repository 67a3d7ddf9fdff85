"""Relay that delivers the rows of `referral_outbox` to the referral service.

Reads OUTBOX_DSN, REFERRAL_API_URL and REFERRAL_API_KEY, and runs until SIGTERM or SIGINT. Any
number of copies may run. Needs asyncpg and referrals-client.

A row is leased, sent, then marked. When a relay dies in between, the lease expires and another
relay sends the row again; the service recognises the `event_id` and answers `duplicate`. Only the
oldest waiting row of a player can be leased, so a player's events arrive in order.
"""

import asyncio
import logging
import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from referrals_client import TOO_EARLY, Limits, Ok, Outcome, Refused, Unavailable, Wire

BATCH_ROWS: Final = 16
IDLE_POLL_S: Final = 0.2
"""Upper bound of the wait while nothing is due."""
DEFAULT_LEASE_S: Final = 30.0
COMMAND_TIMEOUT_S: Final = 10.0
"""Bounds each SQL statement."""

# SKIP LOCKED skips rows that another relay is leasing; leased rows are not due. Ordering by due_at
# keeps rows that fail each time from filling every batch.
LEASE_DUE_ROWS: Final = """
    WITH due AS MATERIALIZED (
        SELECT position FROM referral_outbox AS first
        WHERE sent_at IS NULL AND dead IS NULL AND due_at <= now()
          AND NOT EXISTS (
              SELECT FROM referral_outbox AS earlier
              WHERE earlier.player_id = first.player_id AND earlier.position < first.position
                AND earlier.sent_at IS NULL AND earlier.dead IS NULL)
        ORDER BY due_at, position LIMIT $1 FOR UPDATE SKIP LOCKED)
    UPDATE referral_outbox AS taken
    SET attempts = attempts + 1, due_at = now() + $2 * interval '1 second'
    FROM due WHERE taken.position = due.position
    RETURNING taken.position, door, body, attempts
"""
MARK_SENT: Final = (
    "UPDATE referral_outbox SET sent_at = now() WHERE position = $1 AND sent_at IS NULL"
)
MARK_DEAD: Final = "UPDATE referral_outbox SET dead = $2 WHERE position = $1 AND sent_at IS NULL"
RESCHEDULE: Final = """
    UPDATE referral_outbox SET due_at = now() + $2 * interval '1 second'
    WHERE position = $1 AND sent_at IS NULL
"""
REPORT_EVERY_S: Final = 30.0
"""Seconds after which the same reason why nothing goes is logged again."""
TRANSIENT_FAULTS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

ADVICE: Final = {
    "http 400": "; a proxy refuses the requests, not the referral service",
    "http 401": "; REFERRAL_API_KEY is unknown or revoked",
    "too_early": "; they are ahead of the service's clock: check the clock of whoever wrote them",
    "http 403": "; the key of REFERRAL_API_KEY lacks a scope such as events:write",
    "http 404": "; REFERRAL_API_URL is not the address of the referral service",
    "ConnectError": "; nobody answers at REFERRAL_API_URL",
}
"""Advice by the reason why rows stay."""

log: Final = logging.getLogger("relay")


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay on an outbox. `limits.attempt_s` must be shorter than `lease_s`."""

    pool: asyncpg.Pool
    wire: Wire
    limits: Limits
    lease_s: float
    reasons: dict[str, float] = field(default_factory=dict)
    """Time at which each reason why rows stay was logged last."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver batches until `stopping` is set, backing off while the service is unavailable."""
        failures = 0
        while not stopping.is_set():
            answered = await self._deliver_batch()
            # One answered row shows that the service is available; failed rows have a backoff each.
            failures = failures + 1 if answered and not any(answered) else 0
            if failures:
                await _sleep_unless_stopped(stopping, self.limits.pause_s(failures))
            elif not answered:
                await _sleep_unless_stopped(stopping, IDLE_POLL_S * random.uniform(0.5, 1))  # noqa: S311

    async def _deliver_batch(self) -> list[bool]:
        """Return for each row that was due whether the service answered it."""
        try:
            rows = await self.pool.fetch(LEASE_DUE_ROWS, BATCH_ROWS, self.lease_s)
            return await asyncio.gather(*(self._deliver(row) for row in rows))
        except TRANSIENT_FAULTS as fault:
            log.warning("the outbox database is unavailable: %s", type(fault).__name__)
            return [False]

    async def _deliver(self, row: asyncpg.Record) -> bool:
        path, body = f"/v1/events/{row['door']}", row["body"].encode()
        outcome = await self.wire.tell(path, body, within_s=self.limits.attempt_s)
        statement, arguments = self._statement_for(outcome, row["attempts"])
        await self.pool.execute(statement, row["position"], *arguments)
        if isinstance(outcome, Refused):
            log.error("row %s is dead: %s %s", row["position"], outcome.code, outcome.detail)
        elif isinstance(outcome, Unavailable):
            self._report(TOO_EARLY if outcome.is_too_early else outcome.why)
            return outcome.is_too_early
        return True

    def _report(self, why: str) -> None:
        """Log why rows stay in the outbox, at once and then every half a minute."""
        now = time.monotonic()
        if now - self.reasons.get(why, -REPORT_EVERY_S) >= REPORT_EVERY_S:
            self.reasons[why] = now
            log.warning("rows stay in the outbox: %s%s", why, ADVICE.get(why, ""))

    def _statement_for(
        self, outcome: Outcome[Any], attempts: int
    ) -> tuple[str, tuple[object, ...]]:
        if isinstance(outcome, Ok):
            return MARK_SENT, ()
        if isinstance(outcome, Refused):
            return MARK_DEAD, (outcome.code,)
        return RESCHEDULE, (self.limits.pause_s(attempts, outcome.retry_after_s),)


async def _sleep_unless_stopped(stopping: asyncio.Event, pause_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await stopping.wait()


async def main() -> None:
    """Relay until SIGTERM or SIGINT, and finish the batch that is in flight."""
    logging.basicConfig(level=logging.INFO)
    # httpx logs every request at INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    lease_s = float(os.environ.get("OUTBOX_LEASE_S", DEFAULT_LEASE_S))
    limits = Limits(attempt_s=lease_s / 3, longest_pause_s=lease_s / 2)
    wire = Wire(os.environ["REFERRAL_API_URL"], os.environ["REFERRAL_API_KEY"])
    async with asyncpg.create_pool(
        os.environ["OUTBOX_DSN"], command_timeout=COMMAND_TIMEOUT_S
    ) as pool:
        await Relay(pool, wire, limits, lease_s).run(stopping)
    await wire.close()


if __name__ == "__main__":
    asyncio.run(main())
