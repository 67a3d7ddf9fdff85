"""Dependencies of the routes that are limited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request

from api.http.dependencies import Now
from api.http.errors import Problem
from api.http.limits.limiter import INVITATION_RULE, Limiter
from domain.codes import code_in_path

MAX_CODE_CHARS: Final = 64
"""Length of a code as a key of a limit; the longest real code is shorter."""


@dataclass(frozen=True, slots=True)
class LinkAdmission:
    """The limits' verdict on a visit of the link: whether it passes, and whether it may invite."""

    limiter: Limiter
    address: str
    code: str
    now: datetime
    retry_after_s: int | None
    may_invite: bool

    async def count_miss(self) -> int | None:
        """Count an unknown code; return the seconds to wait if that was one too many."""
        exceeded = await self.limiter.count_miss("link", address=self.address, now=self.now)
        return max(exceeded.values(), default=None)

    def recheck(self) -> int | None:
        """Return the seconds to wait if the limit was reached while the code was looked up.

        Otherwise many requests at once would tell which of their codes exist.
        """
        exceeded = self.limiter.full_of_misses("link", address=self.address, now=self.now)
        return max(exceeded.values(), default=None)

    async def count_invitation(self) -> None:
        await self.limiter.count_invitation("link", code=self.code, now=self.now)


async def admit_link(request: Request, code: str, now: Now) -> LinkAdmission:
    """Decide before the code is looked up, so that a refusal does not reveal whether it exists."""
    limiter: Limiter = request.app.state.limiter
    address = request.client.host if request.client else ""
    subject = code_in_path(code)[:MAX_CODE_CHARS]
    exceeded = await limiter.count_request("link", now=now, address=address, code=subject)
    may_invite = exceeded.pop(INVITATION_RULE, None) is None
    wait_s = max(exceeded.values(), default=None)
    return LinkAdmission(limiter, address, subject, now, wait_s, may_invite)


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


def _raise_if_exceeded(exceeded: Mapping[str, int]) -> None:
    if exceeded:
        raise Problem("too_many_requests", headers={"Retry-After": str(max(exceeded.values()))})
