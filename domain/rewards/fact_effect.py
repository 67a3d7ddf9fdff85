"""The reason codes of facts: what each does for a referral, or why it does nothing."""

from enum import StrEnum
from typing import Final


class FactEffect(StrEnum):
    """The reason code of a fact: a stable word for machines; `text` is its sentence for people."""

    BINDS = "binds"
    ANOTHER_SIGNUP = "another_signup"
    ANOTHER_REFERRAL = "another_referral"
    QUALIFIES = "qualifies"
    BELOW_MINIMUM = "below_minimum"
    OTHER_CURRENCY = "other_currency"
    NO_RATE = "no_rate"
    BEFORE_SIGNUP = "before_signup"
    OUTSIDE_WINDOW = "outside_window"
    TAKEN_BACK = "taken_back"
    SAME_DEPOSIT = "same_deposit"
    NOT_FIRST = "not_first"
    NOT_FIRST_DEPOSIT = "not_first_deposit"
    TOWARDS_TOTAL = "towards_total"
    CONDITION_NOT_MET = "condition_not_met"
    TURNOVER_NOT_REACHED = "turnover_not_reached"
    REPORTED_TOO_LATE = "reported_too_late"
    REFERRAL_ENDED = "referral_ended"
    TAKES_BACK = "takes_back"
    GIVES_BACK = "gives_back"
    NOTHING_TO_GIVE_BACK = "nothing_to_give_back"
    REPLACED = "replaced"
    OTHER_DEPOSIT = "other_deposit"
    UNKNOWN_DEPOSIT = "unknown_deposit"
    STAKE_NOT_REQUIRED = "stake_not_required"
    TOWARDS_TURNOVER = "towards_turnover"
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
        FactEffect.TOWARDS_TOTAL,
        FactEffect.TOWARDS_TURNOVER,
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
    FactEffect.NO_RATE: "no exchange rate for its currency is known",
    FactEffect.BEFORE_SIGNUP: "made before the signup",
    FactEffect.OUTSIDE_WINDOW: "made after the deposit window",
    FactEffect.TAKEN_BACK: "refunded or charged back; less than the minimum is left",
    FactEffect.SAME_DEPOSIT: "another report of a deposit that is known already",
    FactEffect.NOT_FIRST: "another deposit earns the reward",
    FactEffect.NOT_FIRST_DEPOSIT: "the first deposit decides, and this is another one",
    FactEffect.TOWARDS_TOTAL: "counts towards the sum of deposits that earns the reward",
    FactEffect.CONDITION_NOT_MET: "a condition of the campaign is not met by it",
    FactEffect.TURNOVER_NOT_REACHED: "the stakes have not reached the campaign's turnover",
    FactEffect.REPORTED_TOO_LATE: "reported after a later deposit had earned the reward",
    FactEffect.REFERRAL_ENDED: "the referral ended without it",
    FactEffect.TAKES_BACK: "takes back the deposit that earns the reward, or that would",
    FactEffect.GIVES_BACK: "undoes a refund or chargeback of such a deposit",
    FactEffect.NOTHING_TO_GIVE_BACK: "no refund or chargeback that it could undo is known",
    FactEffect.REPLACED: "a later report of the same dispute replaces it",
    FactEffect.OTHER_DEPOSIT: "it concerns a deposit that earns nothing",
    FactEffect.UNKNOWN_DEPOSIT: "its deposit has not been reported",
    FactEffect.STAKE_NOT_REQUIRED: "the terms require no stakes",
    FactEffect.TOWARDS_TURNOVER: "counts towards the campaign's turnover",
    FactEffect.MAKES_INELIGIBLE: "the player may not be credited until restored",
    FactEffect.RESTORED_SINCE: "the player was restored later",
    FactEffect.RESTORES: "ends the player's exclusion or closure",
    FactEffect.NO_EFFECT: "it changes nothing",
    FactEffect.APPROVES: "a reviewer approved",
    FactEffect.REJECTS: "a reviewer rejected",
    FactEffect.EARLIER_ATTEMPT: "the approval was for an earlier qualifying deposit",
}
