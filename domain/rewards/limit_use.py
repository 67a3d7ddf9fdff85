"""Use of limits in a replay: what is counted of each limit in each of its periods."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from operator import itemgetter
from typing import Final

from domain.campaigns.limits.decision import (
    Counted,
    Deferred,
    Fits,
    Limit,
    LimitOf,
    Refused,
    Used,
    decide,
)
from domain.campaigns.limits.periods import Calendar, Per, Period
from domain.campaigns.rules import RewardType
from domain.rewards.simulation import Payment

Needs = tuple[Used, ...]
"""Rewards that a referral asks of each limit, in the order of the limits."""
Times = Sequence[tuple[datetime, Used]]
_Key = tuple[int, datetime | None, str | None]
"""A limit's place, the start of its period and, for one of referrers, the referrer."""
_MORE_THAN_ANY: Final = Used(2**62, 2**62)


class LimitUse:
    """Counts rewards towards limits, beside those that are counted already.

    The latter are given by referrer, and those of all of them together, in the order of time.
    """

    def __init__(
        self,
        limits: Sequence[Limit],
        calendar: Calendar,
        *,
        counted: Mapping[str, Times],
        counted_all: Times,
    ) -> None:
        self._limits, self._calendar = limits, calendar
        # Two equal limits count together.
        self._places = [limits.index(limit) for limit in limits]
        self._counted, self._counted_all = counted, counted_all
        self._used: defaultdict[_Key, Used] = defaultdict(Used)
        self._outside: dict[_Key, Used] = {}
        self._sums: dict[str | None, Sequence[Used]] = {}
        self._latest: dict[Per, Period] = {}
        self.is_of_referrers = any(limit.of is LimitOf.REFERRER for limit in limits)

    def needs(self, payments: Iterable[Payment]) -> Needs:
        payments = tuple(payments)
        return tuple(_need(limit, payments) for limit in self._limits)

    def judge(self, needs: Needs, referrer_id: str, at: datetime) -> Fits | Deferred | Refused:
        """Decide on the rewards of a referral by what is counted so far."""
        judged = []
        for place, limit, need in zip(self._places, self._limits, needs, strict=True):
            period = self._period(limit.per, at)
            key = _key(place, limit, period, referrer_id)
            if key not in self._outside:
                self._outside[key] = self._used_outside(limit, period, referrer_id)
            judged.append((Counted(limit, period, self._used[key] + self._outside[key]), need))
        return decide(judged)

    def count(self, needs: Needs, referrer_id: str, at: datetime, *, by: int) -> None:
        for place, limit, need in zip(self._places, self._limits, needs, strict=True):
            key = _key(place, limit, self._period(limit.per, at), referrer_id)
            self._used[key] += Used(need.rewards * by, need.minor * by)

    def lasts_longest(self, verdict: Deferred, at: datetime) -> bool:
        """Return whether a referral would be deferred likewise if nothing were left at all."""
        if len(self._limits) == 1:
            return True
        full = (Counted(one, self._period(one.per, at), _MORE_THAN_ANY) for one in self._limits)
        return decide((counted, Used(1, 1)) for counted in full) == verdict

    def _period(self, per: Per, at: datetime) -> Period:
        """Return the period that an instant is in; most are in the one that was asked for last."""
        latest = self._latest.get(per)
        if latest is None or not _is_within(latest, at):
            latest = self._latest[per] = self._calendar.period(per, at)
        return latest

    def _used_outside(self, limit: Limit, period: Period, referrer_id: str) -> Used:
        owner = referrer_id if limit.of is LimitOf.REFERRER else None
        rows = self._counted_all if owner is None else self._counted.get(owner, ())
        if owner not in self._sums:
            self._sums[owner] = tuple(accumulate((used for _, used in rows), initial=Used()))
        sums, begins = self._sums[owner], period.starts_at
        if begins is None:
            return sums[-1]
        first = bisect_left(rows, begins, key=itemgetter(0))
        end = len(rows)
        if period.until is not None:
            end = bisect_left(rows, period.until, key=itemgetter(0))
        return Used(sums[end].rewards - sums[first].rewards, sums[end].minor - sums[first].minor)


def _is_within(period: Period, at: datetime) -> bool:
    if period.starts_at is None:
        return True
    return period.starts_at <= at and (period.until is None or at < period.until)


def _key(place: int, limit: Limit, period: Period, referrer_id: str) -> _Key:
    return place, period.starts_at, referrer_id if limit.of is LimitOf.REFERRER else None


def _need(limit: Limit, payments: Sequence[Payment]) -> Used:
    of_referrer = limit.of is LimitOf.REFERRER
    own = [p for p in payments if not of_referrer or p.to is RewardType.REFERRER]
    return Used(len(own), sum(_minor(limit, payment) for payment in own))


def _minor(limit: Limit, payment: Payment) -> int:
    """Return what a payment counts towards the amount of a limit."""
    if limit.amount is None:
        return 0
    is_own = payment.reserved.currency == limit.amount.currency
    return payment.reserved.minor if is_own else payment.own_minor or 0
