"""Decision whether a reward fits within all limits: paid whole, deferred or refused."""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Used:
    """Rewards of a period, held ones included; `minor` is in the limit's currency."""

    rewards: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """A limit with its current period and what is used of it."""

    limit: Limit
    period: Period
    used: Used

    def exceeded_by(self, reward: Money) -> bool:
        """Return whether the whole reward does not fit; a limit in another currency counts none."""
        limit, used = self.limit, self.used
        over_count = limit.rewards is not None and used.rewards + 1 > limit.rewards
        return over_count or (
            limit.amount is not None
            and limit.amount.currency == reward.currency
            and used.minor + reward.minor > limit.amount.minor
        )


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


def decide(counted: Iterable[Counted], reward: Money) -> Fits | Deferred | Refused:
    """Decide on one reward: refused before deferred, and deferred by the limit that lasts longest.

    A reward of 0 pays nothing, so it uses nothing and always fits.
    """
    exceeded = [one for one in counted if reward.minor and one.exceeded_by(reward)]
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
