"""Replay: what the referrals of a period would have been paid, in the order of time.

Limits and budgets are applied as the acts apply them, with one difference: what nobody knows, such
as how long a review would have taken, takes no time.
"""

import heapq
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.campaigns.amounts.amount import first_counts
from domain.campaigns.limits.decision import Deferred, Refused, Used
from domain.campaigns.limits.periods import Calendar
from domain.campaigns.terms import Terms
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, clamp_sum
from domain.rewards.limit_use import LimitUse, Needs
from domain.rewards.simulation import Earned, Missed, Payment, payments_of
from domain.rewards.waiting_lines import Cause, Line, WaitingLines


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """Payments of which something was taken back."""

    one: Earned
    payments: tuple[Payment, ...]


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
        self._around = around
        self._promised = promised or (lambda _: terms)
        self._left = dict(around.budgets)
        self._use = LimitUse(
            terms.rules.limits,
            calendar,
            counted=around.counted,
            counted_all=around.counted_all,
        )
        self._rewarded: Counter[str] = Counter()
        self._placed_at: dict[str, datetime] = {}
        self._queues: defaultdict[str, deque[tuple[Earned, tuple[Payment, ...]]]]
        self._queues = defaultdict(deque)
        self._events: list[tuple[datetime, datetime, str, int, Earned | _TakenBack | Line]] = []
        self._pushed = 0
        self._taking_back: Counter[datetime] = Counter()
        """Numbers of take-backs that are still to come, by their time."""
        self._lines = WaitingLines(lambda line: self._push(line.cause.until, *line.first, line))
        self._fixed_needs: dict[str, Needs | None] = {}
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
            self._push(one.met_at, one.met_at, one.referral_id, one)
        while self._events:
            at, met_at, referral_id, _, event = heapq.heappop(self._events)
            if at > self._around.now:
                break
            match event:
                case Earned():
                    self._pay(event, at)
                case _TakenBack(one, payments):
                    self._taking_back[at] -= 1
                    self._give_back(one, payments, at)
                case Line() if self._lines.is_led_by(event, (met_at, referral_id), at):
                    self._serve(event, at)
        for line in self._lines:
            self._miss(line, line.cause.limit)

    def _push(
        self, at: datetime, met_at: datetime, referral_id: str, event: Earned | _TakenBack | Line
    ) -> None:
        self._pushed += 1
        heapq.heappush(self._events, (at, met_at, referral_id, self._pushed, event))

    def _pay(self, one: Earned, at: datetime) -> None:
        payments = payments_of(one, self._promised(one.referrer_id), count=self._number_of(one, at))
        if not payments:
            self.outcomes[one.referral_id] = Missed(ReasonCode.NOTHING_TO_PAY)
            return
        match self._use.judge(self._use.needs(payments), one.referrer_id, at):
            case Refused(limit):
                self.outcomes[one.referral_id] = Missed(ReasonCode.LIMIT, limit.name)
            case Deferred(limit, until):
                self.outcomes[one.referral_id] = Missed(ReasonCode.LIMIT, limit.name)
                if until is not None and self._goes_on(until):
                    needs = self._fixed_needs_of(one)
                    kind = self._kind_of(one, needs)
                    self._lines.add(Cause(kind=kind, until=until, limit=limit.name), needs, one)
            case _ if self._is_covered(payments, at):
                self._post(one, payments, at)
            case _:
                self.outcomes[one.referral_id] = Missed(ReasonCode.FUNDS)
                self._queues[payments[0].reserved.currency].append((one, payments))

    def _goes_on(self, until: datetime) -> bool:
        ends_at = self._around.ends_at
        return ends_at is None or until < ends_at

    def _fixed_needs_of(self, one: Earned) -> Needs | None:
        """Return what a referral asks of the limits; None if its number decides."""
        if one.referral_id not in self._fixed_needs:
            terms = self._promised(one.referrer_id)
            counts = {1}.union(*(first_counts(rule.amount) for rule in terms.rules.rewards))
            each = [payments_of(one, terms, count=count) for count in counts]
            needs = {self._use.needs(payments) for payments in each}
            is_fixed = len(needs) == 1 and all(each)
            self._fixed_needs[one.referral_id] = needs.pop() if is_fixed else None
        return self._fixed_needs[one.referral_id]

    def _kind_of(self, one: Earned, needs: Needs | None) -> Hashable:
        if needs is None:
            return one.referral_id
        return needs, one.referrer_id if self._use.is_of_referrers else None

    def _serve(self, line: Line, at: datetime) -> None:
        """Pay the first of a line whose time has come, or let it wait with all that do likewise."""
        one = line.members[0][2]
        verdict = line.needs and self._use.judge(line.needs, one.referrer_id, at)
        if isinstance(verdict, Deferred):
            self._defer(line, verdict, at)
            return
        self._pay(self._lines.take_first(line), at)
        if line.members:
            self._push(at, *line.first, line)

    def _defer(self, line: Line, verdict: Deferred, at: datetime) -> None:
        """Let the first of a line wait on, and those behind it for which nothing changes meanwhile.

        That is all of them where nothing else comes at this instant. What is paid at it only adds
        to what is used: then all are deferred likewise if no other limit could defer them longer.
        """
        others = self._events[0] if self._events and self._events[0][0] == at else None
        if others is not None and not self._is_settled(verdict, at):
            rest, line = line, self._lines.split(line, before=(others[1], others[2]))
            if rest.members:
                self._push(at, *rest.first, rest)
        if verdict.until is not None and self._goes_on(verdict.until):
            cause = Cause(kind=line.cause.kind, until=verdict.until, limit=verdict.limit.name)
            self._lines.move(line, cause)
        else:
            self._lines.drop(line)
            self._miss(line, verdict.limit.name)

    def _is_settled(self, verdict: Deferred, at: datetime) -> bool:
        return not self._taking_back[at] and self._use.lasts_longest(verdict, at)

    def _miss(self, line: Line, limit: str) -> None:
        for _, referral_id, _ in line.members:
            self.outcomes[referral_id] = Missed(ReasonCode.LIMIT, limit)

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
        self._use.count(self._use.needs(payments), one.referrer_id, at, by=1)
        self._rewarded[one.referrer_id] += 1
        for payment in payments:
            self._left[payment.reserved.currency] -= payment.reserved.minor
        if any(payment.reserved != payment.standing for payment in payments):
            changed_at = max(at, one.changed_at or at)
            self._taking_back[changed_at] += 1
            self._push(changed_at, one.met_at, one.referral_id, _TakenBack(one, payments))

    def _give_back(self, one: Earned, payments: tuple[Payment, ...], at: datetime) -> None:
        """Return what was taken back to the budget, and pay those that wait for it first."""
        for payment in payments:
            freed = payment.reserved.minor - payment.standing.minor
            self._left[payment.reserved.currency] += freed
        if not one.is_due:
            placed_at = self._placed_at[one.referral_id]
            self._use.count(self._use.needs(payments), one.referrer_id, placed_at, by=-1)
            self._rewarded[one.referrer_id] -= 1
        queue = self._queues[payments[0].reserved.currency]
        while queue and self._is_covered(queue[0][1], at):
            self._pay(queue.popleft()[0], at)


def totals(payments: Iterable[Payment]) -> tuple[int, tuple[Money, ...]]:
    """Return how many rewards stand today, and their sums by currency."""
    count, minor = 0, Counter[str]()
    for payment in payments:
        count += payment.standing.minor > 0
        minor[payment.standing.currency] += payment.standing.minor
    return count, tuple(clamp_sum(sum_, code) for code, sum_ in sorted(minor.items()) if sum_)
