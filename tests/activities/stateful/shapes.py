"""Shapes that the model and the play share: referrals, reviews, standings, signalled facts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from activities.messages import SignalledFacts
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Choice, Decision, Deposit, Fact
from domain.lifecycle.referral import Stage
from tests.activities.stateful.purse import RewardKey


@dataclass(slots=True)
class ModelReview:
    attempt: int
    reasons: frozenset[str]
    since: datetime
    """The time at which it was opened, or last escalated."""
    is_open: bool = True
    decision: Choice | None = None


@dataclass(slots=True)
class ModelReferral:
    referee_id: str
    referrer_id: str
    campaign: str
    terms: Terms
    signed_up_at: datetime
    until: datetime
    stage: Stage = Stage.SIGNED_UP
    rests_on: str | None = None
    """The deposit that qualifies in the current attempt, frozen when credited."""
    attempt: int = 0
    attempt_began: datetime | None = None
    is_promised: bool = False
    place: int | None = None
    """Place in the queue for the campaign's money; the longest waiting has the lowest."""
    holds: frozenset[str] = frozenset()
    reviews: list[ModelReview] = field(default_factory=list)

    @property
    def amounts(self) -> dict[str, int]:
        """The promised minor units of each player."""
        promised = {self.referrer_id: self.terms.referrer_reward.minor}
        if self.terms.referee_reward is not None:
            promised[self.referee_id] = self.terms.referee_reward.minor
        return promised

    @property
    def sides(self) -> dict[str, RewardKey]:
        """The reward of each player who is promised one."""
        names = {self.referrer_id: "referrer", self.referee_id: "referee"}
        return {player: (self.referee_id, names[player]) for player in self.amounts}

    @property
    def open_review(self) -> ModelReview | None:
        return self.reviews[-1] if self.reviews and self.reviews[-1].is_open else None

    def enter(self, stage: Stage, until: datetime, *, holds: frozenset[str] = frozenset()) -> None:
        self.stage, self.until, self.holds = stage, until, holds

    def close_review(self) -> None:
        if self.open_review:
            self.open_review.is_open = False


@dataclass(frozen=True, slots=True)
class Standings:
    """Stages, rewards, balances, holds and reviews, as the model or the database has them."""

    referrals: dict[str, tuple[Stage, datetime]]
    rewards: dict[RewardKey, tuple[str, int]]
    """The status of each reward, and the minor units that stand credited of it."""
    balances: dict[tuple[str, str], int]
    holds: dict[str, frozenset[str]]
    reviews: dict[str, tuple[int, int, frozenset[str]]]
    """Round, attempt and reasons of each open review."""

    def differences(self, other: "Standings") -> dict[str, object]:
        """Return what differs, each with what stands here and what there."""
        found: dict[str, object] = {}
        for field_ in fields(self):
            here, there = getattr(self, field_.name), getattr(other, field_.name)
            for key in here.keys() | there.keys():
                if here.get(key) != there.get(key):
                    found[f"{field_.name} {key}"] = (here.get(key), there.get(key))
        return found


def player_of(fact: Any) -> str:  # noqa: ANN401 - every fact but a decision has one
    return str(fact.player_id)


def signalled(heard: Sequence[Fact]) -> SignalledFacts:
    return SignalledFacts(
        deposits=tuple(fact for fact in heard if isinstance(fact, Deposit)),
        chargebacks=tuple(fact for fact in heard if isinstance(fact, Chargeback)),
        decisions=tuple(fact for fact in heard if isinstance(fact, Decision)),
    )
