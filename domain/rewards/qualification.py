"""Qualification: the set of facts that meets a referral's terms, judged from all facts at once.

The order in which facts were heard changes nothing.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from heapq import merge
from itertools import accumulate

from domain.campaigns.conditions.evaluation import Evaluation, Judged
from domain.campaigns.exchange.local_terms import earning_currencies, terms_in
from domain.campaigns.rules import QualifyingAction
from domain.campaigns.terms import Terms
from domain.intake.facts import CLOCK_SKEW, Deposit, Fact
from domain.money import Money, clamp_sum
from domain.rewards.circumstances import (
    NO_CIRCUMSTANCES,
    Circumstances,
    DepositSoFar,
    judge_condition,
    turnover_of,
)
from domain.rewards.take_backs import TakeBacks, taken_back_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """The deposits that meet the terms, when they met them, and what is left of them."""

    fact_ids: tuple[str, ...]
    """The deposits' event ids; the first is that of the deposit which met the terms."""
    met_at: datetime
    left: Money
    trace: tuple[Judged, ...] = field(default=(), compare=False)
    """Each leaf of the condition with the value that it met; empty where none was judged."""


def qualification(
    facts: Iterable[Fact],
    terms: Terms,
    *,
    signed_up_at: datetime,
    circumstances: Circumstances | None = None,
) -> Qualification | None:
    """Return the earliest deposits in their window that meet the terms, if some do.

    Without circumstances neither turnover nor the condition is judged, as for what was credited.
    """
    judge = Judge(facts, terms, signed_up_at=signed_up_at, circumstances=circumstances)
    return judge.qualification()


def _met(judge: "LocalJudge", takes: TakeBacks) -> Qualification | None:
    """Return the earliest deposits of one currency that meet the terms."""
    met = next((found for found in judge.candidates() if judge.shortfall(found) is None), None)
    if met is None:
        return None
    found, judged, at = _resting_on(met, takes), judge.evaluate(met[0]), judge.turnover_reached_at
    met_at = max(found.met_at, at) if at else found.met_at
    return replace(found, met_at=met_at, trace=judged.trace if judged else ())


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A lack of deposits that reach the minimum: turnover, or a condition by its path."""

    path: str | None = None
    """The first condition that does not hold, such as `terms.when.all[0]`; None for turnover."""


class Judge:
    """Judges the deposits of one referee by the terms of the referral, currency by currency."""

    def __init__(
        self,
        facts: Iterable[Fact],
        terms: Terms,
        *,
        signed_up_at: datetime,
        circumstances: Circumstances | None,
    ) -> None:
        facts = tuple(facts)
        deposits, self._takes = sorted(_deposits(facts), key=_order), TakeBacks(facts)

        def judge_by(local: Terms) -> LocalJudge:
            return LocalJudge(
                deposits,
                self._takes,
                local,
                signed_up_at=signed_up_at,
                circumstances=circumstances,
            )

        local = {currency: terms_in(terms, currency) for currency in earning_currencies(terms)}
        self._by_currency = {
            currency: judge_by(known) for currency, known in local.items() if known is not None
        }
        known_first = next(iter(self._by_currency.values()), None)
        self._any = known_first or judge_by(terms)

    def qualification(self) -> Qualification | None:
        """Return the earliest deposits that meet the terms, if some do."""
        found = [one for one in (_met(j, self._takes) for j in self._by_currency.values()) if one]
        return min(found, key=lambda one: (one.met_at, one.fact_ids[0]), default=None)

    def candidates(self) -> Iterator[tuple[Deposit, ...]]:
        """Yield what reaches the minimum of its currency; see `LocalJudge.candidates`."""
        found = (judge.candidates() for judge in self._by_currency.values())
        yield from merge(*found, key=lambda one: _order(one[0]))

    def first_deposit(self) -> Deposit | None:
        """Return the referee's very first deposit since the signup; see `LocalJudge`."""
        return self._any.first_deposit()

    def shortfall(self, found: Sequence[Deposit]) -> Shortfall | None:
        """Return what deposits that reach the minimum lack, or None if they meet the terms."""
        return self._by_currency[found[0].amount.currency].shortfall(found)

    def evaluate(self, deposit: Deposit) -> Evaluation | None:
        """Judge the condition by a deposit; None where there is none, or nothing to judge it by."""
        return self._by_currency.get(deposit.amount.currency, self._any).evaluate(deposit)


class LocalJudge:
    """Judges the deposits of one referee by terms in one currency."""

    def __init__(
        self,
        deposits: Sequence[Deposit],
        takes: TakeBacks,
        terms: Terms,
        *,
        signed_up_at: datetime,
        circumstances: Circumstances | None,
    ) -> None:
        self._deposits = deposits
        self._takes = takes
        self._terms = terms
        self._starts_at = signed_up_at - CLOCK_SKEW
        self._ends_at = signed_up_at + terms.deposit_window
        self._circumstances = circumstances
        currency = terms.minimum_deposit.currency
        self._turnover = turnover_of(circumstances or NO_CIRCUMSTANCES, currency)

    @property
    def turnover_reached_at(self) -> datetime | None:
        return self._turnover.reached_at

    def candidates(self) -> Iterator[tuple[Deposit, ...]]:
        """Yield what reaches the minimum, in order of time: the deposit that does, then the others.

        The others are those that it reaches the minimum together with.
        """
        match self._terms.rules.on:
            case QualifyingAction.ANY_DEPOSIT:
                yield from ((one,) for one in self._in_window() if self._reaches(one))
            case QualifyingAction.FIRST_DEPOSIT:
                first = self.first_deposit()
                if first and first.occurred_at <= self._ends_at and self._reaches(first):
                    yield (first,)
            case QualifyingAction.TOTAL_DEPOSITS:
                yield from self._totals()

    def first_deposit(self) -> Deposit | None:
        """Return the referee's very first deposit since the signup, in whatever currency.

        Once rewards are written, it is the first one in their currency.
        """
        paid_in = self._terms.rules.paid_in
        since = (
            one
            for one in self._deposits
            if one.occurred_at >= self._starts_at and paid_in in {None, one.amount.currency}
        )
        return next(since, None)

    def shortfall(self, found: Sequence[Deposit]) -> Shortfall | None:
        """Return what deposits that reach the minimum lack, or None if they meet the terms."""
        circumstances, rules = self._circumstances, self._terms.rules
        if circumstances is None:
            return None
        if rules.turnover is not None and self.turnover_reached_at is None:
            return Shortfall()
        if rules.when is None or found[0].event_id == circumstances.met_by:
            return None
        judged = self.evaluate(found[0])
        if judged is None or judged.holds:
            return None
        failing = next((one.path for one in judged.trace if not one.holds), "terms.when")
        return Shortfall(failing)

    def evaluate(self, deposit: Deposit) -> Evaluation | None:
        """Judge the condition by a deposit; None where there is none, or nothing to judge it by."""
        when, circumstances = self._terms.rules.when, self._circumstances
        if when is None or circumstances is None:
            return None
        count = bisect_right(self._deposits, _order(deposit), key=_order)
        judged = DepositSoFar(
            deposit=deposit,
            left=Money(self._takes.left_minor(deposit), deposit.amount.currency),
            count=count,
            total=clamp_sum(self._running_minor[count], self._terms.minimum_deposit.currency),
        )
        return judge_condition(when, judged, self._turnover.total, circumstances)

    @cached_property
    def _running_minor(self) -> Sequence[int]:
        """Remainder of the first deposits in this currency together, for each number of them."""
        currency = self._terms.minimum_deposit.currency
        left = (
            self._takes.left_minor(one) if one.amount.currency == currency else 0
            for one in self._deposits
        )
        return list(accumulate(left, initial=0))

    def _totals(self) -> Iterator[tuple[Deposit, ...]]:
        minimum, total = self._terms.minimum_deposit, 0
        counted: list[Deposit] = []
        for one in self._in_window():
            left = self._takes.left_minor(one)
            if one.amount.currency == minimum.currency and left:
                total += left
                if total >= minimum.minor:
                    yield (one, *counted)
                counted.append(one)

    def _in_window(self) -> Iterator[Deposit]:
        return (
            one for one in self._deposits if self._starts_at <= one.occurred_at <= self._ends_at
        )

    def _reaches(self, deposit: Deposit) -> bool:
        minimum, left = self._terms.minimum_deposit, self._takes.left_minor(deposit)
        return deposit.amount.currency == minimum.currency and left >= max(1, minimum.minor)


def qualification_of(fact_ids: Collection[str], facts: Iterable[Fact]) -> Qualification | None:
    """Return what is left today of the facts that a credited reward rests on."""
    facts = tuple(facts)
    # What was credited stays as it was, also where it rests on two reports of one deposit.
    resting_on = [f for f in facts if isinstance(f, Deposit) and f.event_id in fact_ids]
    if not resting_on:
        return None
    ordered = sorted(resting_on, key=_order)
    return replace(_resting_on(ordered, TakeBacks(facts)), met_at=ordered[-1].occurred_at)


def meets_minimum(deposit: Deposit, facts: Iterable[Fact], terms: Terms) -> bool:
    """Return whether at least the minimum is left of a deposit, in a currency of the terms."""
    local = terms_in(terms, deposit.amount.currency)
    if local is None:
        return False
    left = deposit.amount.minor - taken_back_minor(deposit, facts)
    return left >= max(1, local.minimum_deposit.minor)


def without_rate(facts: Iterable[Fact], terms: Terms, *, signed_up_at: datetime) -> tuple[str, ...]:
    """Return the currencies of deposits in time that cannot be judged: no rate is known for them.

    They are currencies in which a deposit may still qualify, and something is left of the deposits.
    """
    if not terms.rules.currencies:
        return ()
    facts = tuple(facts)
    takes = TakeBacks(facts)
    since, until = signed_up_at - CLOCK_SKEW, signed_up_at + terms.deposit_window
    found = {
        one.amount.currency
        for one in _deposits(facts)
        if since <= one.occurred_at <= until
        and takes.left_minor(one)
        and one.amount.currency in earning_currencies(terms)
        and terms_in(terms, one.amount.currency) is None
    }
    return tuple(sorted(found))


def _deposits(facts: Iterable[Fact]) -> list[Deposit]:
    """Return the deposits, each once: of several reports of one, the first in order of time."""
    reported = sorted((f for f in facts if isinstance(f, Deposit)), key=_order, reverse=True)
    return list({(one.player_id, one.deposit_id): one for one in reported}.values())


def _resting_on(deposits: Sequence[Deposit], takes: TakeBacks) -> Qualification:
    """Return the qualification of deposits, of which the first met the terms."""
    left = sum(map(takes.left_minor, deposits))
    return Qualification(
        fact_ids=tuple(one.event_id for one in deposits),
        met_at=deposits[0].occurred_at,
        left=clamp_sum(left, deposits[0].amount.currency),
    )


def _order(deposit: Deposit) -> tuple[datetime, str]:
    return deposit.occurred_at, deposit.event_id
