"""Decision whether a referral's rewards fit within all limits: paid whole, deferred or refused."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.campaigns.limits.periods import Per, Period
from domain.money import Money


class LimitOf(StrEnum):
    REFERRER = "referrer"
    CAMPAIGN = "campaign"


class Over(StrEnum):
    """Outcome of a reward that exceeds a limit."""

    DEFER = "defer"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An upper limit of rewards, of their amount, or of both in each period."""

    of: LimitOf
    per: Per
    rewards: int | None = None
    amount: Money | None = None
    over: Over = Over.DEFER

    def __post_init__(self) -> None:
        if self.rewards is None and self.amount is None:
            raise ValueError("a limit is of rewards, of an amount, or of both")
        if self.rewards is not None and self.rewards < 0:
            raise ValueError("a limit of rewards is not negative")

    @property
    def name(self) -> str:
        """The name under which the referrals that wait for it are found."""
        return f"{self.of}_{self.per}"


@dataclass(frozen=True, slots=True)
class Used:
    """Rewards of a period, held ones included; `minor` is in the limit's currency."""

    rewards: int = 0
    minor: int = 0

    def __add__(self, other: "Used") -> "Used":
        return Used(self.rewards + other.rewards, self.minor + other.minor)


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit with its current period and what is used of it."""

    limit: Limit
    period: Period
    used: Used

    def exceeded_by(self, need: Used) -> bool:
        """Return whether the rewards do not fit, all of them; nothing always fits.

        A rise of what is counted already needs an amount and no further place.
        """
        limit, after = self.limit, self.used + need
        if need == Used():
            return False
        over_count = limit.rewards is not None and after.rewards > limit.rewards
        over_amount = limit.amount is not None and after.minor > limit.amount.minor
        return over_amount or (over_count and need.rewards > 0)

    def behind(self, waiting: Iterable[Used]) -> "Counted":
        """Return what is used once those that wait longer have gone, as far as each of them fits.

        One that does not fit itself keeps nobody else waiting.
        """
        counted = self
        for need in waiting:
            if not counted.exceeded_by(need):
                counted = replace(counted, used=counted.used + need)
        return counted


@dataclass(frozen=True, slots=True)
class Fits:
    """All limits leave room for the reward."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The reward has to wait for `until`; None waits for as long as the campaign runs."""

    limit: Limit
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The reward is not paid, because of a limit that refuses what exceeds it."""

    limit: Limit


def decide(counted: Iterable[tuple[Counted, Used]]) -> Fits | Deferred | Refused:
    """Decide on a referral's rewards, each limit with those that it counts.

    They are paid together or not at all: refused before deferred, and deferred by the limit that
    lasts longest.
    """
    exceeded = [one for one, need in counted if one.exceeded_by(need)]
    refusing = next((one for one in exceeded if one.limit.over is Over.REFUSE), None)
    if refusing is not None:
        return Refused(refusing.limit)
    if not exceeded:
        return Fits()
    endless = next((one for one in exceeded if one.period.until is None), None)
    if endless is not None:
        return Deferred(endless.limit, None)
    lasting = max(exceeded, key=_end)
    return Deferred(lasting.limit, lasting.period.until)


def _end(counted: Counted) -> datetime:
    assert counted.period.until is not None  # noqa: S101 - open periods are decided before
    return counted.period.until
