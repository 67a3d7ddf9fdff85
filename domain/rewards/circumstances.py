"""Circumstances: what conditions and turnover are judged by, beside the referee's deposits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from domain.campaigns.conditions.evaluation import Evaluation, evaluate
from domain.campaigns.conditions.fields import Value
from domain.campaigns.conditions.tree import Condition
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Stake:
    """A settled stake of the referee."""

    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Records about a pair; a value that nobody told is absent, and unknown to conditions."""

    zone: tzinfo = UTC
    """The campaign's zone, in which a deposit has its weekday and hour."""
    known: Mapping[str, Value] = field(default_factory=dict)
    """Values of the fields that are the same for every deposit, by their names."""
    referrer_signed_up_at: datetime | None = None
    stakes: Sequence[Stake] = ()
    met_by: frozenset[str] = frozenset()
    """Event ids of the deposits that met the condition before: what was met stays met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositSoFar:
    """A deposit, and the referee's deposits up to it, as they are after refunds."""

    deposit: Deposit
    left: Money
    count: int
    total: Money


def judge_condition(
    condition: Condition, so_far: DepositSoFar, turnover: Money, circumstances: Circumstances
) -> Evaluation:
    """Judge a condition by one deposit and everything that is known."""
    deposit = so_far.deposit
    local = deposit.occurred_at.astimezone(circumstances.zone)
    known: dict[str, Value | None] = {
        **circumstances.known,
        "deposit.amount": so_far.left,
        "deposit.method": deposit.method,
        "deposit.jurisdiction": deposit.jurisdiction,
        "deposits.count": so_far.count,
        "deposits.total": so_far.total,
        "turnover.total": turnover,
        "time.weekday": local.isoweekday(),
        "time.hour": local.hour,
    }
    if circumstances.referrer_signed_up_at is not None:
        age = deposit.occurred_at - circumstances.referrer_signed_up_at
        known["referrer.account_age"] = max(age, age * 0)
    return evaluate(condition, known)


def turnover_of(
    circumstances: Circumstances, terms: Terms, *, signed_up_at: datetime
) -> tuple[Money, datetime | None]:
    """Return the stakes within the deposit window, and when they reached the terms' turnover.

    Only stakes in the terms' currency count. The time is None where they have not, and where the
    terms ask for none.
    """
    currency = terms.minimum_deposit.currency
    wanted = terms.rules.turnover
    ends_at = signed_up_at + terms.deposit_window
    total, reached_at = 0, None
    for stake in sorted(circumstances.stakes, key=lambda stake: stake.at):
        if stake.amount.currency == currency and signed_up_at <= stake.at <= ends_at:
            total += stake.amount.minor
            if wanted is not None and reached_at is None and total >= wanted.minor:
                reached_at = stake.at
    return Money(total, currency), reached_at
