"""The report of a simulation: what would be paid, beside what stands today."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from typing import Any, Final

from pydantic import TypeAdapter

from domain.campaigns.rules import RewardType
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, RewardKind, clamp_sum
from domain.rewards.replay import Replay, totals
from domain.rewards.simulation import Earned, Missed, Payment

MAX_CHANGED: Final = 1000
"""Changed referrals that a report lists; it counts all of them."""


@dataclass(frozen=True, slots=True)
class Totals:
    rewards: int
    cost: Sequence[Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedReferral:
    referral_id: str
    before: Totals
    after: Totals
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSpread:
    """The rewards of one kind to one side that would stand."""

    to: RewardType
    kind: RewardKind
    rewards: int
    smallest: Money
    median: Money
    largest: Money
    cost: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReach:
    """A budget that the period's rewards are paid from."""

    budget: Money
    left: Money
    exhausted_at: datetime | None
    """Time at which it first did not cover a reward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Rewards of a period by a version, beside those that stand today."""

    version: int
    live_version: int
    referrals: int
    before: Totals
    after: Totals
    live: Totals
    """The same replayed by the live version."""
    qualified: int
    unpaid: Mapping[str, int]
    """Referrals that would be paid nothing, by the reason."""
    spread: Sequence[RewardSpread]
    budgets: Sequence[BudgetReach]
    changed_total: int
    changed: Sequence[ChangedReferral]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The period as one version's terms judge and pay it."""

    version: int
    earned: Sequence[Earned]
    missed: Mapping[str, Missed]
    """Referrals that do not meet the terms, by their ids."""
    replay: Replay
    budgets: Mapping[str, int]
    """Minor units by currency that it was paid from."""


def simulation_of(
    asked: Replayed,
    live: Replayed,
    before: Mapping[str, Sequence[Payment]],
    *,
    referrals: int,
) -> Simulation:
    """Return the report of a version beside the live one, and beside what stands."""
    comparison = _Comparison(before, asked)
    changed = comparison.changed()
    return Simulation(
        version=asked.version,
        live_version=live.version,
        referrals=referrals,
        before=_totals(before.values()),
        after=_totals(comparison.after.values()),
        live=_totals(_paid(live.replay).values()),
        qualified=len(asked.earned),
        unpaid=comparison.unpaid(),
        spread=_spread(comparison.after.values()),
        budgets=_budgets(asked),
        changed_total=len(changed),
        changed=changed[:MAX_CHANGED],
    )


def simulation_json(found: Simulation) -> dict[str, Any]:
    """Return a simulation as the command writes it."""
    shown: dict[str, Any] = TypeAdapter(Simulation).dump_python(found, mode="json")
    return shown


def _paid(replay: Replay) -> dict[str, tuple[Payment, ...]]:
    return {id_: one for id_, one in replay.outcomes.items() if isinstance(one, tuple)}


class _Comparison:
    """The comparison of what stands with what one version would have paid."""

    def __init__(self, before: Mapping[str, Sequence[Payment]], asked: Replayed) -> None:
        self._before, self._missed, self._outcomes = before, asked.missed, asked.replay.outcomes
        self.after = _paid(asked.replay)

    def unpaid(self) -> dict[str, int]:
        missed = [one for one in self._outcomes.values() if isinstance(one, Missed)]
        counts = Counter(one.reason.value for one in (*missed, *self._missed.values()))
        return dict(sorted(counts.items()))

    def changed(self) -> list[ChangedReferral]:
        found: list[ChangedReferral] = []
        for referral_id, standing in self._before.items():
            after = self.after.get(referral_id, ())
            if _figures(standing) != _figures(after):
                one = ChangedReferral(
                    referral_id=referral_id,
                    before=_totals([standing]),
                    after=_totals([after]),
                    why=self._why(referral_id, standing, after),
                )
                found.append(one)
        return found

    def _why(self, referral_id: str, standing: Sequence[Payment], after: Sequence[Payment]) -> str:
        if any(payment.standing.minor for payment in after):
            was_paid = any(payment.standing.minor for payment in standing)
            return "amount" if was_paid else "qualifies"
        missed = self._missed.get(referral_id) or self._outcomes.get(referral_id)
        if not isinstance(missed, Missed):
            return ReasonCode.DEPOSIT_TAKEN_BACK.value
        return f"{missed.reason}: {missed.detail}" if missed.detail else missed.reason.value


def _figures(payments: Iterable[Payment]) -> Counter[tuple[str, str, str]]:
    """Return what stands for each side and kind, in minor units by currency."""
    found: Counter[tuple[str, str, str]] = Counter()
    for payment in payments:
        found[payment.to, payment.kind, payment.standing.currency] += payment.standing.minor
    return +found


def _totals(referrals: Iterable[Iterable[Payment]]) -> Totals:
    return Totals(*totals(payment for payments in referrals for payment in payments))


def _spread(referrals: Iterable[Iterable[Payment]]) -> list[RewardSpread]:
    by_key: dict[tuple[RewardType, RewardKind, str], list[int]] = defaultdict(list)
    for payment in (payment for payments in referrals for payment in payments):
        if payment.standing.minor:
            key = (payment.to, payment.kind, payment.standing.currency)
            by_key[key].append(payment.standing.minor)
    return [
        RewardSpread(
            to=to,
            kind=kind,
            rewards=len(minors),
            smallest=Money(min(minors), currency),
            median=Money(median_low(minors), currency),
            largest=Money(max(minors), currency),
            cost=clamp_sum(sum(minors), currency),
        )
        for (to, kind, currency), minors in sorted(by_key.items())
    ]


def _budgets(asked: Replayed) -> list[BudgetReach]:
    return [
        BudgetReach(
            budget=Money(minor, currency),
            left=Money(asked.replay.left[currency], currency),
            exhausted_at=asked.replay.exhausted_at.get(currency),
        )
        for currency, minor in sorted(asked.budgets.items())
    ]
