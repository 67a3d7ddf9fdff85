"""Effects of facts: what each does for a referral, or why it does nothing, as a reason code."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

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
from domain.rewards.eligibility import eligibility, status_order
from domain.rewards.qualification import meets_minimum, qualification


class FactEffect(StrEnum):
    """The reason code of a fact: a stable word for machines; `text` is its sentence for people."""

    BINDS = "binds"
    ANOTHER_SIGNUP = "another_signup"
    ANOTHER_REFERRAL = "another_referral"
    QUALIFIES = "qualifies"
    BELOW_MINIMUM = "below_minimum"
    OTHER_CURRENCY = "other_currency"
    BEFORE_SIGNUP = "before_signup"
    OUTSIDE_WINDOW = "outside_window"
    TAKEN_BACK = "taken_back"
    NOT_FIRST = "not_first"
    REPORTED_TOO_LATE = "reported_too_late"
    REFERRAL_ENDED = "referral_ended"
    TAKES_BACK = "takes_back"
    GIVES_BACK = "gives_back"
    NOTHING_TO_GIVE_BACK = "nothing_to_give_back"
    REPLACED = "replaced"
    OTHER_DEPOSIT = "other_deposit"
    UNKNOWN_DEPOSIT = "unknown_deposit"
    STAKE_NOT_REQUIRED = "stake_not_required"
    MAKES_INELIGIBLE = "makes_ineligible"
    RESTORED_SINCE = "restored_since"
    RESTORES = "restores"
    NO_EFFECT = "no_effect"
    APPROVES = "approves"
    REJECTS = "rejects"
    EARLIER_ATTEMPT = "earlier_attempt"

    @property
    def counts(self) -> bool:
        return self in _COUNTING

    @property
    def text(self) -> str:
        return _TEXTS[self]


_COUNTING: Final = frozenset(
    {
        FactEffect.BINDS,
        FactEffect.QUALIFIES,
        FactEffect.TAKES_BACK,
        FactEffect.GIVES_BACK,
        FactEffect.MAKES_INELIGIBLE,
        FactEffect.RESTORES,
        FactEffect.APPROVES,
        FactEffect.REJECTS,
    }
)
_TEXTS: Final = {
    FactEffect.BINDS: "the signup that was bound to this referral",
    FactEffect.ANOTHER_SIGNUP: "the player was bound by another signup event",
    FactEffect.ANOTHER_REFERRAL: "it concerns another referral of the same player",
    FactEffect.QUALIFIES: "the deposit that earns the reward",
    FactEffect.BELOW_MINIMUM: "below the minimum deposit",
    FactEffect.OTHER_CURRENCY: "in another currency than it has to be",
    FactEffect.BEFORE_SIGNUP: "made before the signup",
    FactEffect.OUTSIDE_WINDOW: "made after the deposit window",
    FactEffect.TAKEN_BACK: "refunded or charged back; less than the minimum is left",
    FactEffect.NOT_FIRST: "another deposit earns the reward",
    FactEffect.REPORTED_TOO_LATE: "reported after a later deposit had earned the reward",
    FactEffect.REFERRAL_ENDED: "the referral ended without it",
    FactEffect.TAKES_BACK: "takes back the deposit that earns the reward, or that would",
    FactEffect.GIVES_BACK: "undoes a refund or chargeback of such a deposit",
    FactEffect.NOTHING_TO_GIVE_BACK: "no refund or chargeback that it could undo is known",
    FactEffect.REPLACED: "a later report of the same dispute replaces it",
    FactEffect.OTHER_DEPOSIT: "it concerns a deposit that earns nothing",
    FactEffect.UNKNOWN_DEPOSIT: "its deposit has not been reported",
    FactEffect.STAKE_NOT_REQUIRED: "the terms require no stakes",
    FactEffect.MAKES_INELIGIBLE: "the player may not be credited until restored",
    FactEffect.RESTORED_SINCE: "the player was restored later",
    FactEffect.RESTORES: "ends the player's exclusion or closure",
    FactEffect.NO_EFFECT: "it changes nothing",
    FactEffect.APPROVES: "a reviewer approved",
    FactEffect.REJECTS: "a reviewer rejected",
    FactEffect.EARLIER_ATTEMPT: "the approval was for an earlier qualifying deposit",
}
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
                return FactEffect.STAKE_NOT_REQUIRED
            case Withdrawal():
                return FactEffect.NO_EFFECT
            case Decision():
                return self._of_decision(fact)

    def _of_signup(self, signup: Signup) -> FactEffect:
        is_bound = signup.event_id == self._setting.signup_event_id
        return FactEffect.BINDS if is_bound else FactEffect.ANOTHER_SIGNUP

    def _of_deposit(self, deposit: Deposit) -> FactEffect:
        found = self._shortcoming(deposit)
        if found is not None:
            return found
        if deposit.event_id in self._resting_on:
            return FactEffect.QUALIFIES
        if self._setting.has_ended:
            return FactEffect.REFERRAL_ENDED
        return FactEffect.REPORTED_TOO_LATE if self._is_earlier(deposit) else FactEffect.NOT_FIRST

    def _shortcoming(self, deposit: Deposit) -> FactEffect | None:
        """Return why a deposit does not meet the terms, or None if it does."""
        terms, at = self._setting.terms, deposit.occurred_at
        # Before its signup is bound, every deposit was made before it.
        signed_up_at = self._setting.signed_up_at or MAX_TIME
        takes = self._takes.get(deposit.deposit_id, ())
        shortcomings = (
            (
                FactEffect.OTHER_CURRENCY,
                deposit.amount.currency != terms.minimum_deposit.currency,
            ),
            (FactEffect.BEFORE_SIGNUP, at < signed_up_at - CLOCK_SKEW),
            (FactEffect.OUTSIDE_WINDOW, at > signed_up_at + terms.deposit_window),
            (FactEffect.BELOW_MINIMUM, not meets_minimum(deposit, (), terms)),
            (FactEffect.TAKEN_BACK, not meets_minimum(deposit, takes, terms)),
        )
        return next((effect for effect, applies in shortcomings if applies), None)

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
    found = qualification(setting.money_facts, setting.terms, signed_up_at=setting.signed_up_at)
    return found.fact_ids if found else ()


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
