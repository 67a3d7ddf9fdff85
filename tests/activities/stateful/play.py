"""Plays a history of referrals: tells facts to the database and to the model, and lets both act.

The acts are called as the workflow calls them: when a delivery wakes it, and when its time is up.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from sqlalchemy import select

from activities.messages import ActRequest
from courier.route_player import route_player
from db.engine import Database
from db.tables import ReferralRow
from domain.intake.facts import Chargeback, Choice, Decision, Deposit, Fact, Signup, StatusChange
from domain.lifecycle.referral import Stage, Standing
from domain.money import Money
from referrals.campaigns import funding as budgets
from referrals.campaigns import transitions
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from referrals.campaigns.versions import terms_from
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from referrals.intake import facts
from referrals.ledger.spending import SpendOutcome, spend, unspend
from referrals.lifecycle import deliveries
from tests.activities.referral_acts import ReferralActs, acts_on
from tests.activities.stateful.facts_known import HARD_RULES
from tests.activities.stateful.ledger import standings_of
from tests.activities.stateful.model import Model
from tests.activities.stateful.shapes import ModelReferral, player_of, signalled
from tests.builders import NOW, TOKENS, Offer, a_code, unique
from tests.state import violated_invariants
from tests.workflows.harness.life_steps import MARKETER

TICK: Final = timedelta(seconds=1)
MAX_DELIVERIES: Final = 500
"""Far more than one step of a history makes."""
REPEATS: Final = st.sampled_from((0, 0, 0, 1))
"""Number of times an act is done again, as after a worker was lost before it could answer."""
Draw = Callable[[st.SearchStrategy[Any]], Any]
MoneyFact = Deposit | Chargeback | StatusChange
Answer = TypeVar("Answer")
Act = Callable[[ActRequest], Awaitable[Answer]]


@dataclass(slots=True)
class Play:
    """One history, in a database of its own, beside its model."""

    database: Database
    draw: Draw
    offers: dict[str, Offer] = field(default_factory=dict)
    model: Model = field(default_factory=Model)
    now: datetime = NOW
    acts: dict[str, ReferralActs] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    spends_made: list[tuple[str, str, Money]] = field(default_factory=list)
    """Player, reference and amount of each spend that was not given back."""
    between: list[MoneyFact] = field(default_factory=list)
    """Facts that arrive between the next scoring and the crediting that follows it."""

    async def signs_up(self, signup: Signup, referrer_id: str, campaign: str) -> None:
        """Sign up a new player with the typed code of the referrer in the campaign."""
        now, terms = self._tick(), terms_from(self.offers[campaign].version.terms)
        arrival = replace(signup, code=await self._code(referrer_id, campaign))
        await self._record(arrival)
        await self._route(arrival.player_id)
        query = select(ReferralRow).where(ReferralRow.referee_id == arrival.player_id)
        async with self.database.reading() as session:
            self.acts[arrival.player_id] = acts_on(
                self.database, (await session.scalars(query)).one(), rule_set=HARD_RULES
            )
        ends = max(arrival.occurred_at + terms.deposit_window, now) + terms.lateness_grace
        self.model.receive(arrival)
        self.model.sign_up(
            ModelReferral(
                arrival.player_id, referrer_id, campaign, terms, arrival.occurred_at, until=ends
            )
        )

    async def receives(self, *reported: Fact) -> None:
        """Record facts and route their players, as the doors and the courier do."""
        for fact in reported:
            await self._record(fact)
            self.model.receive(fact)
        for player_id in sorted({player_of(fact) for fact in reported}):
            await self._route(player_id)

    async def is_signalled(self, fact: Deposit | Chargeback) -> None:
        """Tell a fact to the referral of its player directly, and to no other door."""
        self.model.receive(fact)
        await self._wake(fact.player_id, [fact])
        await self._route(fact.player_id)

    async def decides(self, referee_id: str, choice: Choice) -> None:
        async with self.database.transaction() as session:
            review = await reviews.find_review(session, self.acts[referee_id].row.id)
            assert review
            decision = Decision(
                event_id=f"review:{review.id}",
                occurred_at=self.now,
                reviewer="reviewer",
                decision=choice,
                reason="looked into it",
            )
            answer = await reviews.decide(session, review_id=review.id, decision=decision)
        assert answer.outcome is ReviewOutcome.DECIDED
        self.model.decide(referee_id, choice)

    async def spends(self, player_id: str, amount: Money) -> None:
        reference = unique("bet")
        async with self.database.transaction() as session:
            outcome = await spend(
                session, player_id=player_id, amount=amount, reference=reference, at=self.now
            )
        is_spent = outcome is SpendOutcome.SPENT
        assert is_spent == self.model.purse.spend(player_id, amount.minor)
        if is_spent:
            self.spends_made.append((player_id, reference, amount))

    async def is_given_back(self, player_id: str, reference: str, amount: Money) -> None:
        """Give a whole spend back, as for a voided bet; the second time changes nothing."""
        for _ in range(2):
            async with self.database.transaction() as session:
                await unspend(
                    session, player_id=player_id, amount=None, reference=reference, at=self.now
                )
        self.spends_made.remove((player_id, reference, amount))
        self.model.purse.unspend(player_id, amount.minor)

    async def is_topped_up(self, campaign: str, amount: Money) -> None:
        async with self.database.transaction() as session:
            funding = Funding(amount, unique("top-up"))
            outcome = await budgets.fund_campaign(session, campaign, funding, MARKETER, at=self.now)
        assert (outcome is TransitionOutcome.CHANGED) == (campaign not in self.model.ended)
        if campaign not in self.model.ended:
            self.model.purse.budget[campaign] += amount.minor

    async def is_defunded(self, campaign: str, amount: Money) -> None:
        async with self.database.transaction() as session:
            funding = Funding(amount, unique("back"))
            outcome = await budgets.defund_campaign(
                session, campaign, funding, MARKETER, at=self.now
            )
        is_free = self.model.purse.defund(campaign, amount.minor)
        assert (outcome is TransitionOutcome.CHANGED) == is_free

    async def is_ended(self, campaign: str) -> None:
        async with self.database.transaction() as session:
            await transitions.apply_transition(
                session, campaign, CampaignTransition.END, MARKETER, at=self.now
            )
        self.model.ended.add(campaign)

    async def passes(self, time: timedelta) -> None:
        """Carry what is pending and let time pass; whoever's time is up acts then, one by one."""
        await self.settles()
        ends = self.now + time
        while (timer := self.model.next_timer()) and timer[0] <= ends:
            self.now = max(self.now, timer[0])
            await self._time_out(timer[1])
            await self.settles()
        self.now = max(self.now, ends)

    async def looks_again(self) -> None:
        """Wake every referral, as after the loss of a whole cluster."""
        for referee_id in self.acts:
            await self._wake(referee_id)

    async def settles(self) -> None:
        """Carry deliveries, and let those whom they wake act, until nothing is pending."""
        while woken := await self._carry():
            for referee_id, heard in woken.items():
                await self._wake(referee_id, heard)
        if self.between:
            await self._receive_between()
            await self.settles()

    async def compares(self) -> None:
        """Assert that the ledger equals the model, and that nobody who could go on is asleep.

        Evidence wakes nobody: it is looked at before the money moves.
        """
        differences = (await standings_of(self.database)).differences(self.model.standings())
        assert differences == {}, differences
        for referee_id, referral in self.model.referrals.items():
            before, after = referral.stage, self._stage_after_a_look(referee_id)
            assert after is before or after is Stage.REJECTED, (referee_id, before, after)
            assert not self.model.may_reopen(referral, self.now), referee_id

    async def verifies(self) -> None:
        violated = await violated_invariants(self.database, as_of=self.now)
        assert violated == {}, violated

    async def _carry(self) -> dict[str, list[Fact]]:
        """Return the referees whose referrals the courier wakes now, with what it tells them."""
        async with self.database.transaction() as session:
            leased = await deliveries.lease(
                session, limit=MAX_DELIVERIES, lasting=timedelta(hours=1)
            )
            await deliveries.acknowledge(session, [delivery.id for delivery in leased])
        woken: dict[str, list[Fact]] = defaultdict(list)
        for delivery in leased:
            referee_id = delivery.referral.referee_id
            assert referee_id
            woken[referee_id] += [delivery.fact] if delivery.fact else []
        return woken

    async def _wake(self, referee_id: str, heard: Sequence[Fact] = ()) -> None:
        """Run the acts of a workflow that was woken."""
        acts, stage = self.acts[referee_id], await self._stage(referee_id)
        if stage in {Stage.SIGNED_UP, Stage.DEFERRED}:
            await self._score_and_credit(referee_id, heard)
        else:
            is_held, rewards = stage is Stage.HELD, acts.rewards
            act = rewards.resolve_hold if is_held else rewards.compensate_reward
            await self._act(acts, act, heard)
            self.model.look(referee_id, self.now)

    async def _score_and_credit(self, referee_id: str, heard: Sequence[Fact] = ()) -> None:
        acts, referral = self.acts[referee_id], self.model.referrals[referee_id]
        if not self.between:  # Nothing is learned between the two, so one act does both.
            await self._act(acts, acts.score_and_credit, heard)
            self.model.look(referee_id, self.now)
            return
        scored = self.model.qualifying(referral)
        scoring = await self._act(acts, acts.fraud.score_fraud, heard)
        assert bool(scoring.verdict) == bool(scored)
        await self._receive_between()
        is_deferred = referral.stage is Stage.DEFERRED
        if scoring.verdict or is_deferred:
            await self._act(acts, acts.rewards.credit_reward)
        found = self.model.qualifying(referral)
        # What was not scored is not credited; the fact that changed it wakes the referral again.
        if found == scored or (is_deferred and found is None):
            self.model.look(referee_id, self.now)

    async def _time_out(self, referee_id: str) -> None:
        acts, stage = self.acts[referee_id], await self._stage(referee_id)
        if stage is Stage.DEFERRED:
            return await self._score_and_credit(referee_id)
        act: Act[Standing] = {
            Stage.SIGNED_UP: acts.referrals.expire_referral,
            Stage.HELD: acts.rewards.resolve_hold,
            Stage.REWARDED: acts.rewards.settle_referral,
        }[stage]
        await self._act(acts, act)
        return self.model.time_out(referee_id, self.now)

    async def _act(
        self, acts: ReferralActs, act: Act[Answer], heard: Sequence[Fact] = ()
    ) -> Answer:
        """Do an act, perhaps several times: each time it must answer the same."""
        request = await acts.act_request(at=self._tick(), signalled=signalled(heard))
        answer = await act(request)
        for _ in range(self.draw(REPEATS)):
            assert await act(request) == answer
        return answer

    async def _stage(self, referee_id: str) -> Stage:
        stage = (await self.acts[referee_id].stored_row()).stage
        assert stage is self.model.referrals[referee_id].stage
        return stage

    def _stage_after_a_look(self, referee_id: str) -> Stage:
        copied = {**self.model.referrals, referee_id: deepcopy(self.model.referrals[referee_id])}
        model = replace(self.model, purse=deepcopy(self.model.purse), referrals=copied)
        model.look(referee_id, self.now)
        return copied[referee_id].stage

    async def _record(self, fact: Fact) -> None:
        async with self.database.transaction() as session:
            await facts.record_fact(session, fact, player_id=player_of(fact), door="http")

    async def _code(self, referrer_id: str, campaign: str) -> str:
        if (referrer_id, campaign) not in self.codes:
            async with self.database.transaction() as session:
                code = await a_code(session, self.offers[campaign], player_id=referrer_id)
            self.codes[referrer_id, campaign] = code.code
        return self.codes[referrer_id, campaign]

    async def _route(self, player_id: str) -> None:
        async with self.database.transaction() as session:
            await route_player(session, player_id, tokens=TOKENS, now=self.now)
        self.model.reopen(player_id, self.now)

    async def _receive_between(self) -> None:
        received, self.between = self.between, []
        await self.receives(*received)

    def _tick(self) -> datetime:
        self.now += TICK
        return self.now
