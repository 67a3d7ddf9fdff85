"""Deliveries to a referral's workflow: their kinds, and the signal that each kind sends."""

from enum import StrEnum
from typing import Final

from domain.intake.facts import FactKind


class Signal(StrEnum):
    """Signals of ReferralWorkflow, which has a method of each name."""

    SIGN_UP = "sign_up"
    MAKE_DEPOSIT = "make_deposit"
    CHARGE_BACK = "charge_back"
    DECIDE = "decide"
    SUPERSEDE = "supersede"
    LOOK = "look"


INVITATION: Final = "invitation"
"""Kind of the delivery that starts a workflow, without a signal."""
LOOK: Final = "look"
"""Kind of a delivery that carries no fact: something changed on our side."""

SIGNAL_BY_FACT_KIND: Final = {
    FactKind.SIGNUP: Signal.SIGN_UP,
    FactKind.DEPOSIT: Signal.LOOK,
    FactKind.CHARGEBACK: Signal.LOOK,
    FactKind.PLAYER: Signal.LOOK,
    FactKind.DECISION: Signal.LOOK,
}
"""Signals of recorded facts, which the acts read: only a signup's says more than which fact it is.
Wagers and withdrawals are missing: workflows receive milestones, not every bet."""
