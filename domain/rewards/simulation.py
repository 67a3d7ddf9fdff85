"""Simulation: one referral's recorded facts, judged by terms as they would have been in time."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.campaigns.amounts.computation import Basis, compute
from domain.campaigns.exchange.local_terms import rate_table_of, terms_in
from domain.campaigns.exchange.rate_table import RateTable
from domain.campaigns.rules import QualifyingAction, RewardType
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, RewardKind
from domain.rewards.circumstances import Circumstances
from domain.rewards.computed import frozen_place, own_minor, write_computation
from domain.rewards.qualification import (
    Judge,
    Qualification,
    qualification,
    qualification_of,
    without_rate,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedReferral:
    """A referral of the past with everything that is recorded about it."""

    referral_id: str
    referrer_id: str
    invited_at: datetime
    signed_up_at: datetime
    jurisdiction: str | None
    facts: Sequence[Deposit | Chargeback]
    circumstances: Circumstances
    refused: ReasonCode | None = None
    """Reason of a rejection that no terms decide: fraud, or a reviewer's word."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A reward of one kind to one side: the amount reserved, and what stands of it today."""

    to: RewardType
    kind: RewardKind
    reserved: Money
    standing: Money
    own_minor: int | None = None
    """The reserved amount in the campaign's own currency; None where that is its currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """A referral that meets the terms; its payments still depend on its number and on limits."""

    referral_id: str
    referrer_id: str
    jurisdiction: str | None
    met_at: datetime
    base: Money
    """The deposits at crediting."""
    left: Money
    """The deposits after everything that was taken back within the chargeback window."""
    changed_at: datetime | None
    """Time of the last event that took something back after crediting."""
    is_due: bool
    """False once less than the minimum is left."""
    rate_table: RateTable | None = None
    """Rates by which sums of another currency than the base's are converted."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A referral that the terms pay nothing for, with the reason and its detail."""

    reason: ReasonCode
    detail: str | None = None


def judge_played(played: PlayedReferral, terms: Terms) -> Earned | Missed:
    """Judge a referral of the past by terms.

    What was taken back before crediting counts against qualifying, what was taken back later
    lowers the rewards, and what was taken back after the chargeback window changes nothing.
    """
    if played.refused is not None:
        return Missed(played.refused)
    if played.signed_up_at > played.invited_at + terms.signup_window + terms.lateness_grace:
        return Missed(ReasonCode.NO_SIGNUP)
    met = _qualifies(played, terms)
    if met is None:
        return _missed(played, terms)
    credited_at = met.met_at + terms.hold_period
    counted = _facts_until(played, credited_at + terms.chargeback_window)
    now = qualification_of(met.fact_ids, counted)
    left = now.left if now else Money(0, met.left.currency)
    taken = [fact.occurred_at for fact in counted if isinstance(fact, Chargeback)]
    later = [at for at in taken if at > credited_at]
    return Earned(
        referral_id=played.referral_id,
        referrer_id=played.referrer_id,
        jurisdiction=played.jurisdiction,
        met_at=met.met_at,
        base=met.left,
        left=left,
        changed_at=max(later, default=None),
        is_due=left.minor >= max(1, _minimum_minor(terms, met.left.currency)),
        rate_table=rate_table_of(terms, met.left.currency),
    )


def payments_of(earned: Earned, terms: Terms, *, count: int) -> tuple[Payment, ...]:
    """Return the rewards of a referral that is its referrer's `count`th rewarded one."""
    if not terms.rules.rewards:
        return _flat_payments(earned, terms)
    found: list[Payment] = []
    for rule in terms.rules.rewards:
        basis = Basis(
            base=earned.base,
            count=count,
            jurisdiction=frozen_place(terms, earned.jurisdiction),
            rate_table=earned.rate_table,
            own_currency=terms.minimum_deposit.currency,
        )
        computation = compute(rule.amount, basis)
        reserved = computation.result
        if reserved is None or not reserved.minor:
            continue
        today = compute(rule.amount, replace(basis, base=earned.left)).result
        standing = today if today and earned.is_due else Money(0, reserved.currency)
        counted = own_minor(
            write_computation(computation), reserved, terms.minimum_deposit.currency
        )
        found.append(Payment(rule.to, rule.kind, reserved, standing, counted))
    return tuple(found)


def _minimum_minor(terms: Terms, currency: str) -> int:
    local = terms_in(terms, currency)
    return local.minimum_deposit.minor if local else 0


def _flat_payments(earned: Earned, terms: Terms) -> tuple[Payment, ...]:
    promised = {
        RewardType.REFERRER: terms.referrer_reward,
        RewardType.REFEREE: terms.referee_reward,
    }
    return tuple(
        Payment(side, RewardKind.CASH, amount, Money(amount.minor * earned.is_due, amount.currency))
        for side, amount in promised.items()
        if amount is not None and amount.minor
    )


def _qualifies(played: PlayedReferral, terms: Terms) -> Qualification | None:
    """Return what meets the terms by everything that happened up to its crediting."""
    until = played.signed_up_at
    while True:
        found = qualification(
            _facts_until(played, until),
            terms,
            signed_up_at=played.signed_up_at,
            circumstances=played.circumstances,
        )
        if found is None:
            return None
        credited_at = found.met_at + terms.hold_period
        if not any(_is_take_back(fact, until, credited_at) for fact in played.facts):
            return found
        until = max(until, credited_at)


def _is_take_back(fact: Deposit | Chargeback, after: datetime, until: datetime) -> bool:
    return isinstance(fact, Chargeback) and after < fact.occurred_at <= until


def _facts_until(played: PlayedReferral, until: datetime) -> list[Deposit | Chargeback]:
    return [f for f in played.facts if isinstance(f, Deposit) or f.occurred_at <= until]


def _missed(played: PlayedReferral, terms: Terms) -> Missed:
    judge = Judge(
        played.facts, terms, signed_up_at=played.signed_up_at, circumstances=played.circumstances
    )
    newest = deque(judge.candidates(), maxlen=1)
    lacking = judge.shortfall(newest[0]) if newest else None
    if lacking is not None:
        return (
            Missed(ReasonCode.CONDITION_NOT_MET, lacking.path)
            if lacking.path
            else Missed(ReasonCode.TURNOVER_NOT_REACHED)
        )
    if without_rate(played.facts, terms, signed_up_at=played.signed_up_at):
        return Missed(ReasonCode.NO_RATE)
    is_first = terms.rules.on is QualifyingAction.FIRST_DEPOSIT
    if is_first and judge.first_deposit() is not None:
        return Missed(ReasonCode.FIRST_DEPOSIT_BELOW_MINIMUM)
    return Missed(ReasonCode.NO_DEPOSIT)
