"""What the workflow tells its activities, and what they answer: one dataclass a message."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.fraud.rules import Verdict
from domain.intake.facts import Chargeback, Decision, Deposit, Fact, Signup
from domain.lifecycle.referral import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Events that came as signals; the first act records those that no other door has."""

    signups: tuple[Signup, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        return (*self.signups, *self.deposits, *self.chargebacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Look at the referral as recorded; act only if it still stands where the workflow thinks.

    `now` is the workflow's clock, so that skipped time and the database agree.
    """

    referral_id: UUID
    standing: Standing
    now: datetime
    heard: Heard = Heard()


@dataclass(frozen=True, slots=True)
class Scoring:
    """Where the referral stands, and the verdict on its qualifying deposit, if there is one."""

    standing: Standing
    verdict: Verdict | None = None
    score: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """Where the referral stands after its signup was recorded, and whom it is bound to."""

    standing: Standing
    referee_id: str | None
