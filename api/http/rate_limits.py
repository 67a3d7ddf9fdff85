"""Rate limits of the open doors, in fixed windows that all copies of the api share."""

import asyncio
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_network
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter

from api.http.dependencies import Now
from api.http.errors import Problem
from db import rate_windows
from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.rate_windows import Window
from domain.codes import normalise_code
from domain.privacy import Hasher, parse_ip

MISS_SUFFIX: Final = ".misses"
"""Ends the name of a rule that counts only requests for something unknown."""
SHARED_NETWORKS: Final = tuple(
    ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                "::1/128", "fc00::/7", "fe80::/10")
)  # fmt: skip
"""Addresses of proxies and tests, which stand for many clients: only their misses are limited."""
IPV6_SUBSCRIBER_PREFIX_BITS: Final = 64
"""Prefix that one subscriber holds, with every address in it."""
MAX_CODE_CHARS: Final = 64
"""Length of a code as a key of a limit; the longest real code is shorter."""
COUNT_TIMEOUT_S: Final = 0.25
"""Time to wait for the windows of a request, in seconds, before it passes uncounted."""
COUNTING_COOLDOWN: Final = timedelta(seconds=2)
"""Time without counting after a failure, so that not every request holds a connection in vain."""
WINDOW_RETENTION: Final = timedelta(hours=2)
"""Time for which an ended window is kept before pruning."""
PRUNE_ONE_IN: Final = 500
"""Requests per pruning; together they add fewer windows than one pruning may remove."""

log = structlog.get_logger()


class Limiter:
    """Counts requests against the rules of settings; a request that cannot be counted passes.

    Both methods return the seconds to wait by the name of each exceeded rule.
    """

    def __init__(self, database: Database, *, hasher: Hasher, rules: Mapping[str, str]) -> None:
        self._database = database
        self._hasher = hasher
        self._rules = {name: parse(rule) for name, rule in rules.items()}
        self._suspended_until = datetime.min.replace(tzinfo=UTC)

    async def count_request(
        self, door: str, *, now: datetime, **keys: str | None
    ) -> dict[str, int]:
        """Count a request, and test the rules for misses without counting."""
        requests = self._checks(door, keys, misses=False)
        misses = self._checks(door, keys, misses=True)
        return await self._find_exceeded([*requests, *misses], now=now)

    async def count_miss(self, door: str, *, now: datetime, **keys: str | None) -> dict[str, int]:
        """Count a request for something unknown."""
        misses = self._checks(door, keys, misses=True)
        hits = [_LimitCheck(miss.name, miss.item, miss.key, is_peek=False) for miss in misses]
        return await self._find_exceeded(hits, now=now)

    def _checks(
        self, door: str, keys: Mapping[str, str | None], *, misses: bool
    ) -> list["_LimitCheck"]:
        checks = []
        for kind, value in keys.items():
            name = f"{door}.{kind}{MISS_SUFFIX if misses else ''}"
            item = self._rules.get(name)
            if item is not None and value and (misses or not _is_shared_address(kind, value)):
                key = self._hasher.hash(kind, _normalise_subject(kind, value))
                checks.append(_LimitCheck(name, item, key, is_peek=misses))
        return checks

    async def _find_exceeded(self, checks: list["_LimitCheck"], *, now: datetime) -> dict[str, int]:
        if not checks or now < self._suspended_until:
            return {}
        hits = {
            check.window_key: timedelta(seconds=check.item.get_expiry())
            for check in checks
            if not check.is_peek
        }
        peeks = [check.window_key for check in checks if check.is_peek]
        storage = await self._count_windows(hits, peeks, now=now)
        return {} if storage is None else await _evaluate(checks, storage, now=now)

    async def _count_windows(
        self, hits: Mapping[str, timedelta], peeks: list[str], *, now: datetime
    ) -> "PrecountedStorage | None":
        try:
            async with asyncio.timeout(COUNT_TIMEOUT_S), self._database.autocommit() as session:
                windows = await rate_windows.count_hits(session, hits, peeks, now=now)
                if random.randrange(PRUNE_ONE_IN) == 0:  # noqa: S311 - a chance is not a secret
                    await rate_windows.prune(session, before=now - WINDOW_RETENTION)
        except DATABASE_FAULTS as fault:
            if not is_transient(fault):
                raise
            log.warning("limits_unavailable", fault=type(fault).__name__)
            self._suspended_until = now + COUNTING_COOLDOWN
            return None
        return PrecountedStorage(windows)


@dataclass(frozen=True, slots=True)
class LinkAdmission:
    """The limits' verdict on a visit of the link: whether it passes, and whether it may invite."""

    limiter: Limiter
    address: str
    now: datetime
    retry_after_s: int | None
    may_invite: bool

    async def count_miss(self) -> int | None:
        """Count an unknown code; return the seconds to wait if that was one too many."""
        exceeded = await self.limiter.count_miss("link", address=self.address, now=self.now)
        return max(exceeded.values(), default=None)


async def admit_link(request: Request, code: str, now: Now) -> LinkAdmission:
    """Decide before the code is looked up, so that a refusal does not reveal whether it exists."""
    limiter: Limiter = request.app.state.limiter
    address = request.client.host if request.client else ""
    subject = normalise_code(code)[:MAX_CODE_CHARS]
    exceeded = await limiter.count_request("link", now=now, address=address, code=subject)
    may_invite = exceeded.pop("link.code", None) is None
    if _is_shared_address("address", address):
        exceeded.clear()
    return LinkAdmission(limiter, address, now, max(exceeded.values(), default=None), may_invite)


class RequestLimits:
    """Limits of a JSON route; each check raises 429 `too_many_requests` with Retry-After."""

    def __init__(self, limiter: Limiter, now: datetime) -> None:
        self._limiter = limiter
        self._now = now

    async def check(self, door: str, **keys: str | None) -> None:
        _raise_if_exceeded(await self._limiter.count_request(door, now=self._now, **keys))

    async def count_miss(self, door: str, **keys: str | None) -> None:
        _raise_if_exceeded(await self._limiter.count_miss(door, now=self._now, **keys))


async def request_limits(request: Request, now: Now) -> RequestLimits:
    return RequestLimits(request.app.state.limiter, now)


LinkLimits = Annotated[LinkAdmission, Depends(admit_link)]
Limits = Annotated[RequestLimits, Depends(request_limits)]


@dataclass(frozen=True, slots=True)
class _LimitCheck:
    """One rule and the subject that it counts."""

    name: str
    item: RateLimitItem
    key: str
    is_peek: bool
    """The window is tested without a hit."""

    @property
    def window_key(self) -> str:
        return str(self.item.key_for(self.name, self.key))


class PrecountedStorage(Storage):
    """Storage of the library `limits`, over windows that Postgres counted in one statement."""

    STORAGE_SCHEME = None

    def __init__(self, windows: Mapping[str, Window]) -> None:
        super().__init__()
        self._windows = dict(windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        return LookupError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Return the hits, of which this one is already a part."""
        return self._windows[key].hits

    async def get(self, key: str) -> int:
        window = self._windows.get(key)
        return window.hits if window else 0

    async def get_expiry(self, key: str) -> float:
        window = self._windows.get(key)
        return window.ends_at.timestamp() if window else 0.0

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        removed = len(self._windows)
        self._windows.clear()
        return removed

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)


async def _evaluate(
    checks: Iterable[_LimitCheck], storage: PrecountedStorage, *, now: datetime
) -> dict[str, int]:
    limiter = FixedWindowRateLimiter(storage)
    exceeded = {}
    for check in checks:
        hit_or_test = limiter.test if check.is_peek else limiter.hit
        if not await hit_or_test(check.item, check.name, check.key):
            ends_s = await storage.get_expiry(check.window_key)
            exceeded[check.name] = max(1, math.ceil(ends_s - now.timestamp()))
    return exceeded


def _is_shared_address(kind: str, value: str) -> bool:
    if kind != "address":
        return False
    address = parse_ip(value)
    return address is None or any(
        address in net for net in SHARED_NETWORKS if net.version == address.version
    )


def _normalise_subject(kind: str, value: str) -> str:
    """Return what is counted as one: an IPv6 subscriber holds a whole network of addresses."""
    address = parse_ip(value) if kind == "address" else None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_SUBSCRIBER_PREFIX_BITS), strict=False))
    return value if address is None else str(address)


def _raise_if_exceeded(exceeded: Mapping[str, int]) -> None:
    if exceeded:
        raise Problem("too_many_requests", headers={"Retry-After": str(max(exceeded.values()))})
