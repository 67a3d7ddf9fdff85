"""Circumstances: what conditions and turnover are judged by, beside the referee's deposits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final

from domain.campaigns.conditions.evaluation import Evaluation, evaluate
from domain.campaigns.conditions.fields import Value
from domain.campaigns.conditions.tree import Condition
from domain.intake.facts import Deposit
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Turnover:
    """The referee's settled stakes within the deposit window, in one currency."""

    total: Money
    reached_at: datetime | None = None
    """Time of the stake with which they reached what the terms ask for; None where they have not,
    and where the terms ask for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Records about a pair; a value that nobody told is absent, and unknown to conditions."""

    zone: tzinfo = UTC
    """The campaign's zone, in which a deposit has its weekday and hour."""
    known: Mapping[str, Value] = field(default_factory=dict)
    """Values of the fields that are the same for every deposit, by their names."""
    referrer_signed_up_at: datetime | None = None
    turnovers: Mapping[str, Turnover] = field(default_factory=dict)
    """By currency, as one referral's terms ask for them; none where there was no stake."""
    met_by: str | None = None
    """Event id of the deposit that met the condition before: what was met stays met."""


NO_CIRCUMSTANCES: Final = Circumstances()


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


def turnover_of(circumstances: Circumstances, currency: str) -> Turnover:
    """Return the turnover in a currency, which is nothing without a stake in it."""
    return circumstances.turnovers.get(currency) or Turnover(Money(0, currency))
