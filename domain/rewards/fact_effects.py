"""Effects of facts: what each does for a referral, or why it does nothing, as a reason code."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
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
from domain.rewards.eligibility import StatusHistory
from domain.rewards.fact_effect import FactEffect
from domain.rewards.qualification import (
    Judge,
    Shortfall,
    meets_minimum,
)
from domain.rewards.reported_deposits import ReportedDeposits
from domain.rewards.take_backs import taken_back_minor

_CAN_BE_TAKEN_BACK: Final = {FactEffect.QUALIFIES, FactEffect.TAKEN_BACK}
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
        self._deposits_judge = _deposits_judge(setting)
        frozen = setting.frozen
        self._resting_on = _qualifying_now(self._deposits_judge) if frozen is None else frozen
        self._reported = ReportedDeposits(setting.money_facts, self._resting_on)
        self._of_deposits: dict[str, FactEffect] = {}
        """Effects of deposits that are judged already, by event id: refunds ask for them again."""

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
        if deposit.event_id not in self._of_deposits:
            self._of_deposits[deposit.event_id] = self._judge_deposit(deposit)
        return self._of_deposits[deposit.event_id]

    def _judge_deposit(self, deposit: Deposit) -> FactEffect:
        is_earning = deposit.event_id in self._resting_on
        if not is_earning and self._reported.is_reported_already(deposit):
            return FactEffect.SAME_DEPOSIT
        found = self._shortcoming(deposit)
        if found is not None:
            return found
        if is_earning:
            return FactEffect.QUALIFIES
        unmet = self._unmet(deposit)
        if unmet is not None:
            return unmet
        if self._setting.has_ended:
            return FactEffect.REFERRAL_ENDED
        is_earlier = self._reported.is_earlier(deposit)
        return FactEffect.REPORTED_TOO_LATE if is_earlier else FactEffect.NOT_FIRST

    def _shortcoming(self, deposit: Deposit) -> FactEffect | None:
        """Return why a deposit does not meet the terms, or None if it does."""
        terms, at = self._setting.terms, deposit.occurred_at
        # Before its signup is bound, every deposit was made before it.
        signed_up_at = self._setting.signed_up_at or MAX_TIME
        takes = self._reported.takes_of(deposit)
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
        if deposit.event_id not in self._shortfalls:
            is_of_sum = rules.on is QualifyingAction.TOTAL_DEPOSITS and not self._resting_on
            return FactEffect.TOWARDS_TOTAL if is_of_sum else None
        shortfall = self._shortfalls[deposit.event_id]
        if shortfall is None:
            return None
        by_condition = shortfall.path is not None
        return FactEffect.CONDITION_NOT_MET if by_condition else FactEffect.TURNOVER_NOT_REACHED

    @cached_property
    def _shortfalls(self) -> Mapping[str, Shortfall | None]:
        """Lack of each deposit that reaches the minimum, by its event id."""
        judge = self._deposits_judge
        if judge is None:
            return {}
        return {found[0].event_id: judge.shortfall(found) for found in judge.candidates()}

    @cached_property
    def _takeable(self) -> Mapping[str, Deposit]:
        """The deposits of which something can be taken back from the reward, by deposit id."""
        takeable = (d for d in self._reported.in_order if self._of_deposit(d) in _CAN_BE_TAKEN_BACK)
        return {deposit.deposit_id: deposit for deposit in takeable}

    def _of_chargeback(self, chargeback: Chargeback) -> FactEffect:
        if not self._reported.is_known(chargeback.deposit_id):
            return FactEffect.UNKNOWN_DEPOSIT
        deposit = self._takeable.get(chargeback.deposit_id)
        if deposit is None:
            return FactEffect.OTHER_DEPOSIT
        return self._of_take_back(chargeback, deposit)

    def _of_take_back(self, chargeback: Chargeback, deposit: Deposit) -> FactEffect:
        if self._reported.is_replaced(chargeback):
            return FactEffect.REPLACED
        undone = _UNDONE_BY.get(chargeback.kind)
        if undone is None:
            return FactEffect.TAKES_BACK
        if chargeback.amount and chargeback.amount.currency != deposit.amount.currency:
            return FactEffect.OTHER_CURRENCY
        is_known = self._reported.latest_of_matter(chargeback, undone) is not None
        return FactEffect.GIVES_BACK if is_known else FactEffect.NOTHING_TO_GIVE_BACK

    def _of_status(self, change: StatusChange) -> FactEffect:
        history = self._histories.get(change.player_id) or StatusHistory(())
        match change.status:
            case PlayerStatus.VERIFIED:
                return FactEffect.NO_EFFECT
            case PlayerStatus.RESTORED:
                return (
                    FactEffect.RESTORES if history.before(change).reasons else FactEffect.NO_EFFECT
                )
            case PlayerStatus.SELF_EXCLUDED | PlayerStatus.CLOSED:
                is_over = history.is_restored_after(change)
                return FactEffect.RESTORED_SINCE if is_over else FactEffect.MAKES_INELIGIBLE

    @cached_property
    def _histories(self) -> Mapping[str, StatusHistory]:
        changes: dict[str, list[StatusChange]] = defaultdict(list)
        for change in self._setting.status_changes:
            changes[change.player_id].append(change)
        return {player_id: StatusHistory(own) for player_id, own in changes.items()}

    def _of_decision(self, decision: Decision) -> FactEffect:
        attempt = self._setting.decided_attempts.get(decision.event_id)
        if attempt is None:
            return FactEffect.ANOTHER_REFERRAL
        if decision.decision is Choice.REJECT:
            return FactEffect.REJECTS
        is_current = attempt == self._setting.attempt
        return FactEffect.APPROVES if is_current else FactEffect.EARLIER_ATTEMPT


def _qualifying_now(judge: Judge | None) -> Collection[str]:
    found = judge.qualification() if judge else None
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
