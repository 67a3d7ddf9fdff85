"""Replay: what the referrals of a period would have been paid, in the order of time.

Limits and budgets are applied as the acts apply them, with one difference: what nobody knows, such
as how long a review would have taken, takes no time.
"""

import heapq
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.campaigns.limits.decision import (
    Counted,
    Deferred,
    Limit,
    LimitOf,
    Refused,
    Used,
    decide,
)
from domain.campaigns.limits.periods import Calendar, Period
from domain.campaigns.rules import RewardType
from domain.campaigns.terms import Terms
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, clamp_sum
from domain.rewards.simulation import Earned, Missed, Payment, payments_of

_Key = tuple[Limit, datetime | None, str | None]
"""A limit, the start of its period and, for one of referrers, the referrer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Budgets, limits and credits as the referrals outside the period leave them."""

    budgets: Mapping[str, int] = field(default_factory=dict)
    """Minor units by currency that the period's referrals could be paid from."""
    ends_at: datetime | None = None
    now: datetime
    rewarded_at: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    """Times at which other referrals of a referrer were credited, in order."""
    counted: Mapping[str, Sequence[tuple[datetime, Used]]] = field(default_factory=dict)
    """Rewards to a referrer from other referrals, in the order of the times that they count at."""
    counted_all: Sequence[tuple[datetime, Used]] = ()
    """Rewards of all other referrals, likewise, by quarters of an hour."""


class Replay:
    """Pays the referrals of a period by one version's terms."""

    def __init__(
        self,
        terms: Terms,
        calendar: Calendar,
        around: Surroundings,
        *,
        promised: Callable[[str], Terms] | None = None,
    ) -> None:
        """Start a replay; `promised` returns a referrer's terms, which differ in rewards alone."""
        self._terms, self._calendar, self._around = terms, calendar, around
        self._promised = promised or (lambda _: terms)
        self._left = dict(around.budgets)
        self._used: defaultdict[_Key, Used] = defaultdict(Used)
        self._outside: dict[_Key, Used] = {}
        self._rewarded: Counter[str] = Counter()
        self._placed_at: dict[str, datetime] = {}
        self._queues: defaultdict[str, deque[tuple[Earned, tuple[Payment, ...]]]]
        self._queues = defaultdict(deque)
        self._events: list[tuple[datetime, datetime, str, Earned, tuple[Payment, ...] | None]] = []
        self.exhausted_at: dict[str, datetime] = {}
        """Time at which a budget first did not cover a reward, by currency."""
        self.outcomes: dict[str, tuple[Payment, ...] | Missed] = {}
        """Payments of each referral, or why there are none, by its id."""

    @property
    def left(self) -> Mapping[str, int]:
        """Rest of the budgets, in minor units by currency."""
        return self._left

    def run(self, earned: Iterable[Earned]) -> None:
        """Pay the referrals in the order in which they met the terms."""
        for one in earned:
            self._at(one.met_at, one)
        while self._events:
            at, _, _, one, taken_back = heapq.heappop(self._events)
            if at > self._around.now:
                break
            if taken_back is None:
                self._pay(one, at)
            else:
                self._give_back(one, taken_back, at)

    def _at(self, at: datetime, one: Earned, taken_back: tuple[Payment, ...] | None = None) -> None:
        heapq.heappush(self._events, (at, one.met_at, one.referral_id, one, taken_back))

    def _pay(self, one: Earned, at: datetime) -> None:
        payments = payments_of(one, self._promised(one.referrer_id), count=self._number_of(one, at))
        if not payments:
            self.outcomes[one.referral_id] = Missed(ReasonCode.NOTHING_TO_PAY)
            return
        ends_at = self._around.ends_at
        match self._judge(one, payments, at):
            case Refused(limit):
                self.outcomes[one.referral_id] = Missed(ReasonCode.LIMIT, limit.name)
            case Deferred(limit, until):
                self.outcomes[one.referral_id] = Missed(ReasonCode.LIMIT, limit.name)
                if until is not None and (ends_at is None or until < ends_at):
                    self._at(until, one)
            case _ if self._is_covered(payments, at):
                self._post(one, payments, at)
            case _:
                self.outcomes[one.referral_id] = Missed(ReasonCode.FUNDS)
                self._queues[payments[0].reserved.currency].append((one, payments))

    def _number_of(self, one: Earned, at: datetime) -> int:
        others = bisect_left(self._around.rewarded_at.get(one.referrer_id, ()), at)
        return 1 + others + self._rewarded[one.referrer_id]

    def _is_covered(self, payments: Sequence[Payment], at: datetime) -> bool:
        """Return whether the budget covers all; one of another currency has no budget here."""
        need: Counter[str] = Counter()
        for payment in payments:
            need[payment.reserved.currency] += payment.reserved.minor
        short = [code for code, minor in need.items() if minor > self._left.get(code, 0)]
        for code in short:
            self.exhausted_at.setdefault(code, at)
        return not short

    def _post(self, one: Earned, payments: tuple[Payment, ...], at: datetime) -> None:
        self.outcomes[one.referral_id] = payments
        self._placed_at[one.referral_id] = at
        self._count(one, payments, at, by=1)
        self._rewarded[one.referrer_id] += 1
        for payment in payments:
            self._left[payment.reserved.currency] -= payment.reserved.minor
        if any(payment.reserved != payment.standing for payment in payments):
            self._at(max(at, one.changed_at or at), one, payments)

    def _give_back(self, one: Earned, payments: tuple[Payment, ...], at: datetime) -> None:
        """Return what was taken back to the budget, and pay those that wait for it first."""
        for payment in payments:
            freed = payment.reserved.minor - payment.standing.minor
            self._left[payment.reserved.currency] += freed
        if not one.is_due:
            self._count(one, payments, self._placed_at[one.referral_id], by=-1)
            self._rewarded[one.referrer_id] -= 1
        queue = self._queues[payments[0].reserved.currency]
        while queue and self._is_covered(queue[0][1], at):
            self._pay(queue.popleft()[0], at)

    def _judge(self, one: Earned, payments: Sequence[Payment], at: datetime) -> object:
        judged = []
        for limit in self._terms.rules.limits:
            period = self._calendar.period(limit.per, at)
            key = _key(limit, period, one)
            if key not in self._outside:
                self._outside[key] = self._used_outside(limit, period, one)
            used = self._used[key] + self._outside[key]
            judged.append((Counted(limit, period, used), _need(limit, payments)))
        return decide(judged)

    def _count(self, one: Earned, payments: Sequence[Payment], at: datetime, *, by: int) -> None:
        for limit in self._terms.rules.limits:
            need = _need(limit, payments)
            key = _key(limit, self._calendar.period(limit.per, at), one)
            self._used[key] += Used(need.rewards * by, need.minor * by)

    def _used_outside(self, limit: Limit, period: Period, one: Earned) -> Used:
        of_referrer = limit.of is LimitOf.REFERRER
        around = self._around
        rows = around.counted.get(one.referrer_id, ()) if of_referrer else around.counted_all
        begins, ends = period.starts_at, period.until if period.starts_at else None
        within = (
            used
            for at, used in rows
            if (begins is None or begins <= at) and (ends is None or at < ends)
        )
        return sum(within, Used())


def _key(limit: Limit, period: Period, one: Earned) -> _Key:
    return limit, period.starts_at, one.referrer_id if limit.of is LimitOf.REFERRER else None


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


def totals(payments: Iterable[Payment]) -> tuple[int, tuple[Money, ...]]:
    """Return how many rewards stand today, and their sums by currency."""
    count, minor = 0, Counter[str]()
    for payment in payments:
        count += payment.standing.minor > 0
        minor[payment.standing.currency] += payment.standing.minor
    return count, tuple(clamp_sum(sum_, code) for code, sum_ in sorted(minor.items()) if sum_)
