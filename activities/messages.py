"""Input and output of the activities: one dataclass for each message."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.fraud.rules import Verdict
from domain.intake.facts import Chargeback, Decision, Deposit, Fact, FactKind, Signup
from domain.lifecycle.referral import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The signature of a signalled fact, and the canonical JSON that it is about."""

    kind: FactKind
    event_id: str
    canonical: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalledFacts:
    """Facts that arrived as signals; the first act records those not recorded through a door."""

    signups: tuple[Signup, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    chargebacks: tuple[Chargeback, ...] = ()
    decisions: tuple[Decision, ...] = ()
    signatures: tuple[Signature, ...] = ()
    loose: tuple[tuple[FactKind, str], ...] = ()
    """Kinds and event ids of facts that were not written as the other doors take them."""
    refusing: tuple[tuple[FactKind, str], ...] = ()
    """Kinds and event ids of facts whose person lets no traits of device and network be kept."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        return (*self.signups, *self.deposits, *self.chargebacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """A request to act on a referral, if it still stands where the workflow believes it does.

    `now` is the workflow's clock, so that skipped time and the database agree. `because_of` are the
    ids of recorded facts that woke the workflow: they are logged, and decide nothing.
    """

    referral_id: UUID
    standing: Standing
    now: datetime
    heard: SignalledFacts = SignalledFacts()
    because_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    """The referral's standing, and the verdict on its qualifying deposit, if there is one."""

    standing: Standing
    verdict: Verdict | None = None
    score: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """The referral's standing after its signup was recorded, and the referee bound to it."""

    standing: Standing
    referee_id: str | None
