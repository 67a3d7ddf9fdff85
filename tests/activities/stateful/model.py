"""A model of referrals in plain Python: it knows facts, terms and decisions, and nothing else.

It is told which referral looks at what is known, and when; it shares no rule with the production
code, only the shapes of facts and terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.intake.facts import Choice, Fact
from domain.lifecycle.referral import Stage
from tests.activities.stateful.facts_known import KnownFacts
from tests.activities.stateful.purse import Purse
from tests.activities.stateful.shapes import ModelReferral, ModelReview, Standings

RECHECK: Final = timedelta(days=30)
"""The time for which a deferred reward of a campaign without an end waits before it looks again."""
REOPEN: Final = timedelta(days=30)
"""The time after its expiry in which a referral is re-opened by what was in time."""
INELIGIBLE: Final = "player_not_eligible"
CREDITED: Final = frozenset({Stage.REWARDED, Stage.SETTLED, Stage.REVERSED})
WAITING: Final = frozenset({Stage.HELD, Stage.DEFERRED})
REWARD_STATUS: Final = {
    Stage.HELD: "HELD",
    Stage.DEFERRED: "DEFERRED",
    Stage.REWARDED: "ISSUED",
    Stage.SETTLED: "ISSUED",
    Stage.REVERSED: "REVERSED",
}


@dataclass(slots=True)
class Model:
    facts: KnownFacts = field(default_factory=KnownFacts)
    purse: Purse = field(default_factory=Purse)
    referrals: dict[str, ModelReferral] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """The campaigns that a person has ended."""
    places: int = 0
    """Number of referrals that have waited for money so far."""

    def receive(self, fact: Fact) -> None:
        self.facts.add(fact)

    def sign_up(self, referral: ModelReferral) -> None:
        self.referrals[referral.referee_id] = referral

    def decide(self, referee_id: str, choice: Choice) -> None:
        review = self.referrals[referee_id].open_review
        assert review
        review.decision, review.is_open = choice, False

    def next_timer(self) -> tuple[datetime, str] | None:
        """Return when the next referral wakes by itself, and its referee."""
        timers = [
            (referral.until, referee_id)
            for referee_id, referral in self.referrals.items()
            if referral.stage in {Stage.SIGNED_UP, Stage.REWARDED} | WAITING
        ]
        return min(timers, default=None)

    def time_out(self, referee_id: str, now: datetime) -> None:
        """Let a referral do what it does when it was not woken until its time."""
        referral = self.referrals[referee_id]
        if referral.stage is Stage.REWARDED:
            referral.stage = Stage.SETTLED
        elif referral.stage is Stage.SIGNED_UP and self.qualifying(referral) is None:
            referral.enter(Stage.EXPIRED, now)
        else:
            self.look(referee_id, now)

    def look(self, referee_id: str, now: datetime) -> None:
        """Let a referral look at all that is known, and go where it must."""
        referral = self.referrals[referee_id]
        if referral.stage in CREDITED:
            self._compensate(referral)
        elif referral.stage is Stage.SIGNED_UP or referral.stage in WAITING:
            self._advance(referral, now)

    def reopen(self, player_id: str, now: datetime) -> None:
        """Re-open a player's expired referral whose deposit was in time, and is known by now."""
        referral = self.referrals.get(player_id)
        if referral and self.may_reopen(referral, now):
            referral.enter(Stage.SIGNED_UP, now + referral.terms.lateness_grace)

    def may_reopen(self, referral: ModelReferral, now: datetime) -> bool:
        is_in_time = referral.stage is Stage.EXPIRED and now <= referral.until + REOPEN
        return is_in_time and self.qualifying(referral) is not None

    def qualifying(self, referral: ModelReferral) -> str | None:
        return self.facts.qualifying(
            referral.referee_id, referral.terms, signed_up_at=referral.signed_up_at
        )

    def _advance(self, referral: ModelReferral, now: datetime) -> None:
        if referral.reviews and referral.reviews[-1].decision is Choice.REJECT:
            return self._end(referral, Stage.REJECTED, now)
        found = self.qualifying(referral)
        if found is None:
            return self._end(referral, Stage.VOIDED, now) if referral.stage in WAITING else None
        doubts = self._doubts(referral)
        if "same_identity" in doubts:
            return self._end(referral, Stage.REJECTED, now)
        if found != referral.rests_on:
            referral.rests_on, referral.attempt_began = found, now
            referral.attempt += 1
        referral.is_promised = True
        waits_for = self._waits_for(referral, doubts, now)
        return (self._hold if waits_for else self._credit)(referral, waits_for, now)

    def _waits_for(
        self, referral: ModelReferral, doubts: frozenset[str], now: datetime
    ) -> dict[str, frozenset[str]]:
        """Return the holds that must be open, each with what a reviewer is asked about."""
        assert referral.attempt_began
        approvals = [
            review
            for review in referral.reviews
            if review.attempt == referral.attempt and review.decision is Choice.APPROVE
        ]
        seen = frozenset[str]().union(*(review.reasons for review in approvals))
        is_doubtful = not doubts <= seen
        waits_for = {"review": doubts} if is_doubtful else {}
        if not self._are_eligible(referral):
            waits_for["ineligible"] = frozenset({INELIGIBLE})
        is_early = now < referral.attempt_began + referral.terms.hold_period
        if is_early and (is_doubtful or not approvals):
            waits_for["hold_period"] = frozenset()
        return waits_for

    def _hold(
        self, referral: ModelReferral, waits_for: Mapping[str, frozenset[str]], now: datetime
    ) -> None:
        if referral.stage is not Stage.HELD and not self.purse.reserve(
            referral.campaign, referral.amounts, ahead_minor=self._ahead_minor(referral)
        ):
            return self._defer(referral, now)
        referral.place = None
        reasons = frozenset[str]().union(*waits_for.values())
        until = self._ask(referral, reasons, now) if reasons else self._end_of_hold(referral)
        return referral.enter(Stage.HELD, until, holds=frozenset(waits_for))

    def _end_of_hold(self, referral: ModelReferral) -> datetime:
        assert referral.attempt_began
        referral.close_review()
        return referral.attempt_began + referral.terms.hold_period

    def _ask(self, referral: ModelReferral, reasons: frozenset[str], now: datetime) -> datetime:
        """Open a review or show its new evidence; return when it is escalated next."""
        if referral.open_review and referral.open_review.attempt == referral.attempt:
            referral.open_review.reasons = reasons
        else:
            referral.close_review()
            referral.reviews.append(ModelReview(referral.attempt, reasons, now))
        review = referral.reviews[-1]
        if review.since + referral.terms.review_period <= now:
            review.since = now
        return review.since + referral.terms.review_period

    def _credit(
        self, referral: ModelReferral, _: Mapping[str, frozenset[str]], now: datetime
    ) -> None:
        if referral.stage is Stage.HELD:
            self.purse.release(referral.amounts)
        elif not self.purse.credit(
            referral.campaign, referral.amounts, ahead_minor=self._ahead_minor(referral)
        ):
            return self._defer(referral, now)
        referral.place = None
        referral.close_review()
        return referral.enter(Stage.REWARDED, now + referral.terms.chargeback_window)

    def _defer(self, referral: ModelReferral, now: datetime) -> None:
        if referral.campaign in self.ended:
            return self._end(referral, Stage.UNFUNDED, now)
        self._queue(referral)
        return referral.enter(Stage.DEFERRED, now + RECHECK, holds=frozenset({"funds"}))

    def _end(self, referral: ModelReferral, stage: Stage, now: datetime) -> None:
        if referral.stage is Stage.HELD:
            self.purse.give_back(referral.campaign, referral.amounts)
        referral.close_review()
        referral.place = None
        referral.enter(stage, now)

    def _compensate(self, referral: ModelReferral) -> None:
        """Reverse a reward whose deposit was taken back; reinstate one whose deposit is there."""
        deposit = next(
            deposit
            for deposit in self.facts.deposits(referral.referee_id)
            if deposit.event_id == referral.rests_on
        )
        stands = self.facts.is_enough(deposit, referral.terms)
        if referral.stage is not Stage.REVERSED and not stands:
            referral.stage, referral.holds = Stage.REVERSED, frozenset()
            for player_id, reward in referral.sides.items():
                minor = referral.amounts[player_id]
                self.purse.take_back(reward, referral.campaign, player_id, minor)
        elif referral.stage is Stage.REVERSED and stands:
            self._reinstate(referral)
        else:
            referral.place, referral.holds = None, frozenset()

    def _reinstate(self, referral: ModelReferral) -> None:
        """Give back what is due again, unless a player is ineligible or the budget is too low."""
        sides = {p: (reward, referral.amounts[p]) for p, reward in referral.sides.items()}
        is_eligible = self._are_eligible(referral)
        if is_eligible and self.purse.reinstate(
            referral.campaign, sides, ahead_minor=self._ahead_minor(referral)
        ):
            referral.stage, referral.place, referral.holds = Stage.REWARDED, None, frozenset()
        else:
            self._queue(referral)
            referral.holds = frozenset({"funds" if is_eligible else "ineligible"})

    def _queue(self, referral: ModelReferral) -> None:
        if referral.place is None:
            self.places += 1
            referral.place = self.places

    def _ahead_minor(self, referral: ModelReferral) -> int:
        """Return what the rewards need that wait longer for the same campaign's money."""
        return sum(
            sum(other.amounts.values())
            for other in self.referrals.values()
            if other.campaign == referral.campaign
            and "funds" in other.holds
            and other is not referral
            and (referral.place is None or (other.place or 0) < referral.place)
        )

    def _are_eligible(self, referral: ModelReferral) -> bool:
        return all(map(self.facts.is_eligible, (referral.referrer_id, referral.referee_id)))

    def _doubts(self, referral: ModelReferral) -> frozenset[str]:
        """Compare the referee with every other player."""
        return self.facts.doubts(referral.referee_id, referral.referrer_id)

    def standings(self) -> Standings:
        known = self.referrals.items()
        return Standings(
            referrals={who: (referral.stage, referral.until) for who, referral in known},
            rewards={
                reward: (
                    REWARD_STATUS.get(referral.stage, "VOID"),
                    referral.amounts[player]
                    if referral.stage in {Stage.REWARDED, Stage.SETTLED}
                    else 0,
                )
                for _, referral in known
                if referral.is_promised
                for player, reward in referral.sides.items()
            },
            balances=self.purse.balances(),
            holds={who: referral.holds for who, referral in known if referral.holds},
            reviews={
                who: (len(referral.reviews), review.attempt, review.reasons)
                for who, referral in known
                if (review := referral.open_review)
            },
        )
