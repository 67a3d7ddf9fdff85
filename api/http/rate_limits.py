"""How often the open doors may be asked, in windows that all copies of the api share."""

import asyncio
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
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
from db.faults import is_transient
from db.rate_windows import Window
from domain.codes import normalised
from domain.privacy import Hasher

MISS_SUFFIX: Final = ".misses"
SHARED_NETWORKS: Final = tuple(
    ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                "::1/128", "fc00::/7", "fe80::/10")
)  # fmt: skip
"""Addresses that are a proxy's or a test's and stand for many: what succeeds is not limited."""
IPV6_SUBSCRIBER_PREFIX_BITS: Final = 64
"""Bits that one subscriber has for all devices."""
PATIENCE_S: Final = 0.25
PAUSE: Final = timedelta(seconds=2)
"""After a failure nothing is counted, so that not every request waits and holds a connection."""
WINDOW_RETENTION: Final = timedelta(hours=2)
PRUNE_ONE_IN: Final = 500
"""Requests; each may add a window per rule, and fewer than are then forgotten at once."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _LimitCheck:
    """One rule and whom it counts."""

    name: str
    item: RateLimitItem
    key: str
    is_peek: bool

    @property
    def window_key(self) -> str:
        return str(self.item.key_for(self.name, self.key))


class Limiter:
    """Never an outage of its own: what cannot be counted in time passes."""

    def __init__(self, database: Database, *, hasher: Hasher, rules: Mapping[str, str]) -> None:
        self._database = database
        self._hasher = hasher
        self._rules = {name: parse(rule) for name, rule in rules.items()}
        self._suspended_until = datetime.min.replace(tzinfo=UTC)

    async def wait_s(self, door: str, *, now: datetime, **keys: str | None) -> dict[str, int]:
        """Count a request; the rules that it breaks, with the whole seconds until they end."""
        asked = [*self._asked(door, keys, misses=False), *self._asked(door, keys, misses=True)]
        return await self._broken(asked, now=now)

    async def count_miss(self, door: str, *, now: datetime, **keys: str | None) -> dict[str, int]:
        """Count what led nowhere; the same."""
        asked = self._asked(door, keys, misses=True)
        hits = [_LimitCheck(one.name, one.item, one.key, is_peek=False) for one in asked]
        return await self._broken(hits, now=now)

    def _asked(
        self, door: str, keys: Mapping[str, str | None], *, misses: bool
    ) -> list[_LimitCheck]:
        asked = []
        for kind, value in keys.items():
            name = f"{door}.{kind}{MISS_SUFFIX if misses else ''}"
            item = self._rules.get(name)
            if item is not None and value and (misses or not _is_shared_address(kind, value)):
                key = self._hasher.hash(kind, _normalise_subject(kind, value))
                asked.append(_LimitCheck(name, item, key, is_peek=misses))
        return asked

    async def _broken(self, asked: Iterable[_LimitCheck], *, now: datetime) -> dict[str, int]:
        asked = list(asked)
        if not asked or now < self._suspended_until:
            return {}
        hits = {
            one.window_key: timedelta(seconds=one.item.get_expiry())
            for one in asked
            if not one.is_peek
        }
        looks = [one.window_key for one in asked if one.is_peek]
        counted = await self._count_windows(hits, looks, now=now)
        return {} if counted is None else await _judged(asked, counted, now=now)

    async def _count_windows(
        self, hits: Mapping[str, timedelta], looks: list[str], *, now: datetime
    ) -> "Counted | None":
        try:
            async with asyncio.timeout(PATIENCE_S), self._database.statement() as session:
                windows = await rate_windows.count(session, hits, looks, now=now)
                if random.randrange(PRUNE_ONE_IN) == 0:  # noqa: S311 - a chance is no secret
                    await rate_windows.forget(session, before=now - WINDOW_RETENTION)
        except Exception as fault:
            if not (isinstance(fault, TimeoutError) or is_transient(fault)):
                raise
            log.warning("limits_unavailable", fault=type(fault).__name__)
            self._suspended_until = now + PAUSE
            return None
        return Counted(windows)


class Counted(Storage):
    """The windows of one request, which Postgres has counted in a single statement."""

    STORAGE_SCHEME = None

    def __init__(self, windows: Mapping[str, Window]) -> None:
        super().__init__()
        self._windows = dict(windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        return LookupError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counted already, as one hit."""
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
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)


async def _judged(
    asked: Iterable[_LimitCheck], counted: Counted, *, now: datetime
) -> dict[str, int]:
    limiter = FixedWindowRateLimiter(counted)
    broken = {}
    for one in asked:
        judge = limiter.test if one.is_peek else limiter.hit
        if not await judge(one.item, one.name, one.key):
            ends_s = await counted.get_expiry(one.window_key)
            broken[one.name] = max(1, math.ceil(ends_s - now.timestamp()))
    return broken


def _is_shared_address(kind: str, value: str) -> bool:
    if kind != "address":
        return False
    address = _address(value)
    return address is None or any(
        address in net for net in SHARED_NETWORKS if net.version == address.version
    )


def _normalise_subject(kind: str, value: str) -> str:
    """An IPv6 subscriber has a whole network of addresses to ask from."""
    address = _address(value) if kind == "address" else None
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_SUBSCRIBER_PREFIX_BITS), strict=False))
    return value if address is None else str(address)


def _address(value: str) -> IPv4Address | IPv6Address | None:
    """None for what is none; one of IPv4 stays it where a socket for both writes it as IPv6."""
    try:
        address = ip_address(value)
    except ValueError:
        return None
    return (address.version == 6 and address.ipv4_mapped) or address


@dataclass(frozen=True, slots=True)
class LinkAdmission:
    """Whether a visitor of the link may pass, and whether that may make an invitation."""

    limiter: Limiter
    address: str
    now: datetime
    retry_after_s: int | None
    invites: bool

    async def missed(self) -> int | None:
        """Count a code that leads nowhere; the seconds to wait when that was one too many."""
        broken = await self.limiter.count_miss("link", address=self.address, now=self.now)
        return max(broken.values(), default=None)


async def passing(request: Request, code: str, now: Now) -> LinkAdmission:
    """What is known before the code is looked at, so that the answer tells nothing of it."""
    limiter: Limiter = request.app.state.limiter
    address = request.client.host if request.client else ""
    broken = await limiter.wait_s("link", now=now, address=address, code=normalised(code)[:64])
    invites = broken.pop("link.code", None) is None
    if _is_shared_address("address", address):
        broken.clear()
    return LinkAdmission(limiter, address, now, max(broken.values(), default=None), invites)


class Asking:
    """The limits of a JSON door; each raises 429 `too_many_requests` with Retry-After."""

    def __init__(self, limiter: Limiter, now: datetime) -> None:
        self._limiter = limiter
        self._now = now

    async def check(self, door: str, **keys: str | None) -> None:
        _refuse(await self._limiter.wait_s(door, now=self._now, **keys))

    async def missed(self, door: str, **keys: str | None) -> None:
        _refuse(await self._limiter.count_miss(door, now=self._now, **keys))


async def asking(request: Request, now: Now) -> Asking:
    return Asking(request.app.state.limiter, now)


def _refuse(broken: Mapping[str, int]) -> None:
    if broken:
        raise Problem("too_many_requests", headers={"Retry-After": str(max(broken.values()))})


LinkLimits = Annotated[LinkAdmission, Depends(passing)]
Limits = Annotated[Asking, Depends(asking)]
