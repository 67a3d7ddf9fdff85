"""Sentences for support: what a referral's stage means, and what time does to it next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from api.console.formats import show_age
from domain.lifecycle.referral import OPEN_STAGES, Stage
from domain.rewards.holds import HoldReason
from referrals.rewards.hold_views import HoldView

EXPLANATIONS: Final = {
    Stage.INVITED: "Somebody followed the code. It waits for the signup.",
    Stage.SIGNED_UP: "The friend signed up. It waits for a deposit that qualifies.",
    Stage.HELD: "The reward is reserved and waits for the holds below.",
    Stage.DEFERRED: "The reward is postponed; the holds below say why.",
    Stage.REWARDED: "The reward is credited. It waits for the end of the chargeback window.",
    Stage.SETTLED: "The reward is credited, and the chargeback window has closed.",
    Stage.EXPIRED: "No signup, or no qualifying deposit, was reported in time.",
    Stage.LOST: "The signup was bound to another referral; its attribution says why.",
    Stage.REJECTED: "Fraud rules, eligibility or a reviewer said no.",
    Stage.UNFUNDED: "The campaign ended without being able to pay.",
    Stage.VOIDED: "The deposit was taken back while the reward was held.",
    Stage.REVERSED: "Once credited, the deposit was taken back, or a reviewer rejected the reward.",
}
"""Sentences for support that say what each stage means."""
POSTPONED: Final = {
    HoldReason.FUNDS: "An empty budget postpones the reward.",
    HoldReason.LIMIT: "A limit of the campaign postpones the reward.",
    HoldReason.TAX: "A yearly threshold postpones the reward until the player is released, or until"
    " the next tax year.",
    HoldReason.SWITCHED_OFF: "A kill switch postpones the reward until it is on again:",
}
"""Sentences of the holds for which a reward is DEFERRED."""


class Step(StrEnum):
    """Acts that a time brings."""

    EXPIRE = "expire"
    CREDIT = "be credited"
    ESCALATE = "be escalated"
    LOOK = "be looked at again"
    SETTLE = "be settled"


STEPS: Final[Mapping[Stage, Step]] = {
    Stage.INVITED: Step.EXPIRE,
    Stage.SIGNED_UP: Step.EXPIRE,
    Stage.HELD: Step.LOOK,
    Stage.DEFERRED: Step.LOOK,
    Stage.REWARDED: Step.SETTLE,
}
FOR_A_PERSON: Final = frozenset(
    {HoldReason.REVIEW, HoldReason.INELIGIBLE, HoldReason.PAYMENT_REFUSED}
)
"""Reasons of holds that open a review, which is escalated when nobody decides in time."""
UNANSWERED: Final = "signal_unavailable"
"""Detail of a review for which silent fraud providers are asked again."""


def explanation_of(stage: Stage, holds: Sequence[HoldView]) -> str:
    """Return what a stage means; a postponed reward's names what it waits for."""
    if stage is not Stage.DEFERRED:
        return EXPLANATIONS[stage]
    hold = next((hold for hold in holds if hold.reason in POSTPONED), None)
    if hold is None:
        return EXPLANATIONS[stage]
    if hold.reason is HoldReason.SWITCHED_OFF:
        return f"{POSTPONED[hold.reason]} {', '.join(hold.detail) or 'all'}."
    return POSTPONED[hold.reason]


def next_step_of(
    stage: Stage, holds: Sequence[HoldView], *, until: datetime, now: datetime
) -> str | None:
    """Return what becomes of a referral when its time is up; None where it waits for nothing."""
    if stage not in OPEN_STAGES:
        return None
    step, age = _step(stage, holds), show_age(until, now)
    if until > now:
        return f"If nothing happens before, it will {step} {age}."
    return f"It was due to {step} {age}."


def _step(stage: Stage, holds: Sequence[HoldView]) -> Step:
    reasons = {hold.reason for hold in holds}
    if stage is Stage.SIGNED_UP and HoldReason.NO_RATE in reasons:
        return Step.LOOK
    if stage is not Stage.HELD:
        return STEPS[stage]
    is_unanswered = any(UNANSWERED in hold.detail for hold in holds)
    if reasons & FOR_A_PERSON:
        return Step.LOOK if is_unanswered else Step.ESCALATE
    return Step.CREDIT if reasons == {HoldReason.HOLD_PERIOD} else Step.LOOK
