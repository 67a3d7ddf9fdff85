"""Effects of facts: what each does for a referral, or why it does nothing, as a reason code."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from domain.campaigns.exchange.local_terms import currencies_of, terms_in
from domain.campaigns.rules import QualifyingAction
from domain.campaigns.terms import Terms
from domain.intake.facts import (
    CLOCK_SKEW,
    MAX_TIME,
    Chargeback,
    Choice,
    Decision,
    Deposit,
    Fact,
    PlayerStatus,
    Signup,
    StatusChange,
    TakeBack,
    Wager,
    Withdrawal,
)
from domain.rewards.circumstances import Circumstances
from domain.rewards.eligibility import eligibility, status_order
from domain.rewards.fact_effect import FactEffect
from domain.rewards.qualification import (
    Judge,
    meets_minimum,
    qualification,
)
from domain.rewards.take_backs import taken_back_minor

_UNDONE_BY: Final = {
    TakeBack.REFUND_FAILED: TakeBack.REFUND,
    TakeBack.CHARGEBACK_WON: TakeBack.CHARGEBACK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Basis on which facts are judged: the referral, and all facts that decide about money."""

    terms: Terms
    referee_id: str | None
    signup_event_id: str | None
    signed_up_at: datetime | None
    money_facts: tuple[Fact, ...]
    """All deposits and chargebacks of the referee."""
    status_changes: tuple[StatusChange, ...] = ()
    """All status changes of the pair."""
    circumstances: Circumstances | None = None
    """Basis of a condition and of turnover, where the terms have them."""
    frozen: frozenset[str] | None = None
    """Event ids of the deposits that the reward rests on for good; None while facts may change
    them."""
    has_ended: bool = False
    """True where no further deposit can earn anything."""
    is_lost: bool = False
    """True where the referee was bound to another referral."""
    attempt: int = 1
    decided_attempts: Mapping[str, int] = field(default_factory=dict)
    """The attempt that each decision on this referral was about, by its event id."""


def effects_of(facts: Iterable[Fact], setting: Setting) -> list[FactEffect]:
    """Return the effect of each fact of a pair, in the order given."""
    judge = _Judge(setting)
    return [judge.effect_of(fact) for fact in facts]


class _Judge:
    """Judges facts of one referral; what all of them need is computed once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._deposits = [f for f in setting.money_facts if isinstance(f, Deposit)]
        self._takes = _takes_by_deposit(setting.money_facts)
        frozen = setting.frozen
        self._deposits_judge = _deposits_judge(setting)
        self._resting_on = _qualifying_now(setting) if frozen is None else frozen

    def effect_of(self, fact: Fact) -> FactEffect:
        if isinstance(fact, StatusChange):
            return self._of_status(fact)
        if self._setting.is_lost:
            return FactEffect.ANOTHER_REFERRAL
        return self._of_other(fact)

    def _of_other(
        self, fact: Signup | Deposit | Chargeback | Wager | Decision | Withdrawal
    ) -> FactEffect:
        match fact:
            case Signup():
                return self._of_signup(fact)
            case Deposit():
                return self._of_deposit(fact)
            case Chargeback():
                return self._of_chargeback(fact)
            case Wager():
                return self._of_stake(fact)
            case Withdrawal():
                return FactEffect.NO_EFFECT
            case Decision():
                return self._of_decision(fact)

    def _of_stake(self, wager: Wager) -> FactEffect:
        terms, signed_up_at = self._setting.terms, self._setting.signed_up_at
        if terms.rules.turnover is None:
            return FactEffect.STAKE_NOT_REQUIRED
        if wager.stake.currency not in currencies_of(terms):
            return FactEffect.OTHER_CURRENCY
        if signed_up_at is None or wager.occurred_at < signed_up_at:
            return FactEffect.BEFORE_SIGNUP
        is_late = wager.occurred_at > signed_up_at + terms.deposit_window
        return FactEffect.OUTSIDE_WINDOW if is_late else FactEffect.TOWARDS_TURNOVER

    def _of_signup(self, signup: Signup) -> FactEffect:
        is_bound = signup.event_id == self._setting.signup_event_id
        return FactEffect.BINDS if is_bound else FactEffect.ANOTHER_SIGNUP

    def _of_deposit(self, deposit: Deposit) -> FactEffect:
        if self._is_reported_already(deposit):
            return FactEffect.SAME_DEPOSIT
        found = self._shortcoming(deposit)
        if found is not None:
            return found
        if deposit.event_id in self._resting_on:
            return FactEffect.QUALIFIES
        unmet = self._unmet(deposit)
        if unmet is not None:
            return unmet
        if self._setting.has_ended:
            return FactEffect.REFERRAL_ENDED
        return FactEffect.REPORTED_TOO_LATE if self._is_earlier(deposit) else FactEffect.NOT_FIRST

    def _is_reported_already(self, deposit: Deposit) -> bool:
        """Return whether another report of the same deposit counts, and this one does not."""
        if deposit.event_id in self._resting_on:
            return False
        key = deposit.player_id, deposit.deposit_id
        reports = [d for d in self._deposits if (d.player_id, d.deposit_id) == key]
        return any(
            other.event_id in self._resting_on or _order(other) < _order(deposit)
            for other in reports
        )

    def _shortcoming(self, deposit: Deposit) -> FactEffect | None:
        """Return why a deposit does not meet the terms, or None if it does."""
        terms, at = self._setting.terms, deposit.occurred_at
        # Before its signup is bound, every deposit was made before it.
        signed_up_at = self._setting.signed_up_at or MAX_TIME
        takes = self._takes.get(deposit.deposit_id, ())
        shortcomings = (
            (FactEffect.OTHER_CURRENCY, deposit.amount.currency not in currencies_of(terms)),
            (FactEffect.BEFORE_SIGNUP, at < signed_up_at - CLOCK_SKEW),
            (FactEffect.OUTSIDE_WINDOW, at > signed_up_at + terms.deposit_window),
            (FactEffect.NO_RATE, terms_in(terms, deposit.amount.currency) is None),
            (FactEffect.BELOW_MINIMUM, not self._is_enough(deposit, ())),
            (FactEffect.TAKEN_BACK, not self._is_enough(deposit, takes)),
        )
        return next((effect for effect, applies in shortcomings if applies), None)

    def _is_enough(self, deposit: Deposit, takes: Sequence[Chargeback]) -> bool:
        """Return whether enough is left of a deposit: of a sum, every part counts."""
        terms = self._setting.terms
        if terms.rules.on is QualifyingAction.TOTAL_DEPOSITS:
            return taken_back_minor(deposit, takes) < deposit.amount.minor
        return meets_minimum(deposit, takes, terms)

    def _unmet(self, deposit: Deposit) -> FactEffect | None:
        """Return what a deposit that is large enough still lacks; None where it lacks nothing."""
        judge, rules = self._deposits_judge, self._setting.terms.rules
        if judge is None or self._setting.frozen is not None:
            return None
        if rules.on is QualifyingAction.FIRST_DEPOSIT and judge.first_deposit() != deposit:
            return FactEffect.NOT_FIRST_DEPOSIT
        found = next((one for one in judge.candidates() if one[0] == deposit), None)
        if found is None:
            is_of_sum = rules.on is QualifyingAction.TOTAL_DEPOSITS and not self._resting_on
            return FactEffect.TOWARDS_TOTAL if is_of_sum else None
        shortfall = judge.shortfall(found)
        if shortfall is None:
            return None
        by_condition = shortfall.path is not None
        return FactEffect.CONDITION_NOT_MET if by_condition else FactEffect.TURNOVER_NOT_REACHED

    def _is_earlier(self, deposit: Deposit) -> bool:
        earning = [other for other in self._deposits if other.event_id in self._resting_on]
        return any(_order(deposit) < _order(other) for other in earning)

    def _of_chargeback(self, chargeback: Chargeback) -> FactEffect:
        about = [d for d in self._deposits if d.deposit_id == chargeback.deposit_id]
        if not about:
            return FactEffect.UNKNOWN_DEPOSIT
        concerned = {FactEffect.QUALIFIES, FactEffect.TAKEN_BACK}
        deposit = next((d for d in about if self._of_deposit(d) in concerned), None)
        if deposit is None:
            return FactEffect.OTHER_DEPOSIT
        return self._of_take_back(chargeback, deposit)

    def _of_take_back(self, chargeback: Chargeback, deposit: Deposit) -> FactEffect:
        takes = self._takes[deposit.deposit_id]
        matter = [other for other in takes if other.dispute_id == chargeback.dispute_id]
        if chargeback.dispute_id and _is_replaced(chargeback, matter):
            return FactEffect.REPLACED
        undone = _UNDONE_BY.get(chargeback.kind)
        if undone is None:
            return FactEffect.TAKES_BACK
        if chargeback.amount and chargeback.amount.currency != deposit.amount.currency:
            return FactEffect.OTHER_CURRENCY
        is_known = any(other.kind is undone for other in matter)
        return FactEffect.GIVES_BACK if is_known else FactEffect.NOTHING_TO_GIVE_BACK

    def _of_status(self, change: StatusChange) -> FactEffect:
        own = [c for c in self._setting.status_changes if c.player_id == change.player_id]
        before = [c for c in own if status_order(c) < status_order(change)]
        match change.status:
            case PlayerStatus.VERIFIED:
                return FactEffect.NO_EFFECT
            case PlayerStatus.RESTORED:
                return FactEffect.RESTORES if eligibility(before).reasons else FactEffect.NO_EFFECT
            case PlayerStatus.SELF_EXCLUDED | PlayerStatus.CLOSED:
                later = [c for c in own if status_order(c) > status_order(change)]
                is_over = any(c.status is PlayerStatus.RESTORED for c in later)
                return FactEffect.RESTORED_SINCE if is_over else FactEffect.MAKES_INELIGIBLE

    def _of_decision(self, decision: Decision) -> FactEffect:
        attempt = self._setting.decided_attempts.get(decision.event_id)
        if attempt is None:
            return FactEffect.ANOTHER_REFERRAL
        if decision.decision is Choice.REJECT:
            return FactEffect.REJECTS
        is_current = attempt == self._setting.attempt
        return FactEffect.APPROVES if is_current else FactEffect.EARLIER_ATTEMPT


def _qualifying_now(setting: Setting) -> Collection[str]:
    if setting.signed_up_at is None:
        return ()
    found = qualification(
        setting.money_facts,
        setting.terms,
        signed_up_at=setting.signed_up_at,
        circumstances=setting.circumstances,
    )
    return found.fact_ids if found else ()


def _deposits_judge(setting: Setting) -> Judge | None:
    if setting.signed_up_at is None:
        return None
    return Judge(
        setting.money_facts,
        setting.terms,
        signed_up_at=setting.signed_up_at,
        circumstances=setting.circumstances,
    )


def _takes_by_deposit(facts: Iterable[Fact]) -> Mapping[str, Sequence[Chargeback]]:
    takes: dict[str, list[Chargeback]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Chargeback):
            takes[fact.deposit_id].append(fact)
    return takes


def _is_replaced(chargeback: Chargeback, matter: Iterable[Chargeback]) -> bool:
    same_kind = [other for other in matter if other.kind is chargeback.kind]
    return any(_order(other) > _order(chargeback) for other in same_kind)


def _order(fact: Fact) -> tuple[datetime, str]:
    return fact.occurred_at, fact.event_id
