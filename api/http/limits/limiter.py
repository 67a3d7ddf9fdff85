"""Limits of the open doors, in fixed windows that all copies of the api share."""

import asyncio
import math
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from limits import RateLimitItem, parse

from api.http.limits.memory import WindowLimit, WindowMemory
from api.http.limits.subjects import Subject, subjects_of
from db import rate_windows
from db.batches import Batches
from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.rate_windows import Window, WindowRequest
from domain.privacy import Hasher

MISS_SUFFIX: Final = ".misses"
"""Ends the name of a rule that counts only requests for something unknown."""
INVITATION_RULE: Final = "link.code"
"""Rule that counts a code's invitations; above it a visit passes, and makes none."""
COUNT_TIMEOUT_S: Final = 0.25
"""Seconds to wait for a request's windows, with the wait for its batch; Postgres still counts hits
whose request has stopped waiting."""
INVITATION_PATIENCE_S: Final = 0.02
"""Seconds that the hit of an invitation, for which nobody waits, may wait for a statement of other
requests to take part in."""
COUNTING_COOLDOWN: Final = timedelta(seconds=2)
"""Time without asking Postgres after a failure, so that requests do not each wait for it."""
WINDOW_RETENTION: Final = timedelta(hours=2)
"""Time for which an ended window is kept before pruning."""
PRUNE_ONE_IN: Final = 400
"""Requests per pruning; together they add fewer windows than one pruning may remove."""

log = structlog.get_logger()


class Limiter:
    """Counts requests against the rules of settings, in this process and, for all, in Postgres.

    What this process knows to be full is refused from memory. Where Postgres cannot count, the last
    known count and the hits of this process decide. The methods return the seconds to wait by the
    name of each exceeded rule.
    """

    def __init__(self, database: Database, *, hasher: Hasher, rules: Mapping[str, str]) -> None:
        self._database = database
        self._counting: Batches[WindowRequest, dict[str, Window]] = Batches(
            database, rate_windows.count_hits, deadline_s=COUNT_TIMEOUT_S
        )
        self._hasher = hasher
        self._rules = {name: parse(rule) for name, rule in rules.items()}
        self._memory = WindowMemory()
        self._suspended_until = datetime.min.replace(tzinfo=UTC)

    async def count_request(
        self, door: str, *, now: datetime, **keys: str | None
    ) -> dict[str, int]:
        """Count a request, and test the rules whose hits are counted by its outcome."""
        requests = self._checks(door, keys, suffix="")
        return await self._count(
            [*requests, *self._checks(door, keys, suffix=MISS_SUFFIX)], now=now
        )

    async def count_miss(self, door: str, *, now: datetime, **keys: str | None) -> dict[str, int]:
        """Count a request for something unknown."""
        checks = self._checks(door, keys, suffix=MISS_SUFFIX)
        return await self._count([check.as_hit() for check in checks], now=now)

    async def count_invitation(self, door: str, *, now: datetime, code: str) -> None:
        checks = self._checks(door, {"code": code}, suffix="")
        hits = [check.as_hit() for check in checks]
        await self._count(hits, now=now, patience_s=INVITATION_PATIENCE_S)

    def full_of_misses(self, door: str, *, now: datetime, **keys: str | None) -> dict[str, int]:
        """Test the rules for misses against the memory alone."""
        return self._remembered(list(self._checks(door, keys, suffix=MISS_SUFFIX)), now=now)

    def _checks(
        self, door: str, keys: Mapping[str, str | None], *, suffix: str
    ) -> "Iterator[_Check]":
        for subject in subjects_of(keys):
            name = f"{door}.{subject.kind}{suffix}"
            item = self._rules.get(name)
            if item is not None and (suffix or not subject.is_shared):
                yield self._check(name, item, subject)

    def _check(self, name: str, item: RateLimitItem, subject: Subject) -> "_Check":
        key = item.key_for(name, self._hasher.hash(subject.kind, subject.value))
        length = timedelta(seconds=item.get_expiry())
        is_test = name.endswith(MISS_SUFFIX) or name == INVITATION_RULE
        return _Check(name, WindowLimit(str(key), item.amount, length), is_test)

    async def _count(
        self, checks: "Collection[_Check]", *, now: datetime, patience_s: float = 0.0
    ) -> dict[str, int]:
        exceeded = self._remembered(checks, now=now)
        if exceeded.keys() - {INVITATION_RULE}:
            return exceeded
        open_checks = [check for check in checks if check.name not in exceeded]
        for check in open_checks:
            if not check.is_test:
                self._memory.count_hit(check.limit, now=now)
        windows = await self._count_windows(open_checks, now=now, patience_s=patience_s)
        return exceeded | self._learn(open_checks, windows, now=now)

    def _remembered(self, checks: "Collection[_Check]", *, now: datetime) -> dict[str, int]:
        ends = {check.name: self._memory.full_until(check.limit, now=now) for check in checks}
        return {name: _wait_s(end, now=now) for name, end in ends.items() if end is not None}

    def _learn(
        self, checks: "Collection[_Check]", windows: Mapping[str, Window], *, now: datetime
    ) -> dict[str, int]:
        exceeded = {}
        for check in checks:
            window = windows.get(check.limit.key)
            if window is None:
                continue
            self._memory.learn(check.limit, window, now=now)
            if window.hits + check.is_test > check.limit.amount:
                exceeded[check.name] = _wait_s(window.ends_at, now=now)
        return exceeded

    async def _count_windows(
        self, checks: "Collection[_Check]", *, now: datetime, patience_s: float
    ) -> Mapping[str, Window]:
        """Return the windows as Postgres counts them, or none of them while it cannot."""
        if not checks or now < self._suspended_until:
            return {}
        lengths = {check.limit.key: check.limit.length for check in checks if not check.is_test}
        tests = [check.limit.key for check in checks if check.is_test]
        try:
            async with asyncio.timeout(COUNT_TIMEOUT_S):
                windows = await self._counting.submit(
                    WindowRequest(lengths, tests, now), patience_s=patience_s
                )
        except DATABASE_FAULTS as fault:
            if not is_transient(fault):
                raise
            self._suspend(fault, now=now)
            return {}
        await self._prune_now_and_then(now=now)
        return windows

    async def _prune_now_and_then(self, *, now: datetime) -> None:
        if random.randrange(PRUNE_ONE_IN):  # noqa: S311 - a chance is not a secret
            return
        try:
            async with asyncio.timeout(COUNT_TIMEOUT_S), self._database.autocommit() as session:
                await rate_windows.prune(session, before=now - WINDOW_RETENTION)
        except DATABASE_FAULTS as fault:
            if not is_transient(fault):
                raise

    def _suspend(self, fault: BaseException, *, now: datetime) -> None:
        """Stop asking Postgres for a while; requests that were under way say so once."""
        if now >= self._suspended_until:
            log.warning("limits_unavailable", fault=type(fault).__name__)
        self._suspended_until = max(self._suspended_until, now + COUNTING_COOLDOWN)


@dataclass(frozen=True, slots=True)
class _Check:
    """One rule, with the window of one subject."""

    name: str
    limit: WindowLimit
    is_test: bool
    """The window is tested without a hit."""

    def as_hit(self) -> "_Check":
        return _Check(self.name, self.limit, is_test=False)


def _wait_s(end: datetime, *, now: datetime) -> int:
    return max(1, math.ceil((end - now).total_seconds()))
