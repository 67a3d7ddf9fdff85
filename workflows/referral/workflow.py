"""The life of one referral, told in the order in which it happens."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from temporalio import workflow

from activities.fraud import FraudActivities
from activities.messages import Look, Scoring
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from domain.fraud.rules import Verdict
from domain.intake.facts import Chargeback, Decision, Deposit
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Referral, Stage, Standing
from workflows.options import database_options, fraud_provider_options
from workflows.referral import search
from workflows.referral.bell import WakeFlag
from workflows.referral.details import details
from workflows.referral.messages import SignupSignal
from workflows.referral.unrecorded import UnrecordedFacts

Act = Callable[[Any, Look], Awaitable[Standing]]
"""An activity that looks, acts, and answers where the referral stands."""

DRAIN_PATCH: Final = "news that came while crediting no longer keeps the long history"


@workflow.defn
class ReferralWorkflow:
    """One referral, from its invitation until its chargeback window has closed.

    A signal only wakes it. What is true is read by the activities from the recorded facts, so a
    signal that comes twice, late or in another order changes nothing, and a referral can be
    started again from where it stands.
    """

    @workflow.init
    def __init__(self, referral: Referral) -> None:
        self.referral = referral
        self.standing = referral.standing
        self.arrival = WakeFlag()
        self.news = WakeFlag()
        self.unrecorded = UnrecordedFacts()

    @workflow.run
    async def run(self, referral: Referral) -> Stage:
        self.show()
        if self.is_at(*EARNING_STAGES):
            await self.earn()
            if not self.is_drained and workflow.patched(DRAIN_PATCH):
                await self.drain()
            if self.is_at(*CREDITED_STAGES) and self.is_drained:
                # Months of waiting follow: they need no more history than this.
                self.continue_as_new()
        if self.is_at(*CREDITED_STAGES):
            await self.keep()
        await self.drain()
        return self.standing.stage

    async def earn(self) -> None:
        """From the invitation to a credited reward, or to an end without one."""
        while self.is_at(Stage.INVITED):
            if not await self.arrival.rings(by=self.standing.until):
                await self.expire()
            elif self.is_at(Stage.INVITED):
                await self.admit()

        while self.is_at(Stage.SIGNED_UP):
            if not await self.news.rings(by=self.standing.until):
                await self.expire()
            if self.is_at(Stage.SIGNED_UP):
                await self.score_and_credit()

        while self.is_at(Stage.DEFERRED):
            await self.news.rings(by=self.standing.until)
            await self.score_and_credit()

        while self.is_at(Stage.HELD):
            await self.news.rings(by=self.standing.until)
            await self.resolve()

    async def keep(self) -> None:
        """A credited reward stays, unless its deposit is taken back, however late that is heard."""
        settled = False
        while not (settled and self.is_drained):
            settled = not await self.news.rings(by=self.standing.until)
            await (self.settle() if settled else self.compensate())

    async def drain(self) -> None:
        """Leave nothing unheard; what follows this must not await anything first."""
        while not self.is_drained:
            self.news.has_rung = False
            await self.compensate()

    async def score_and_credit(self) -> None:
        scoring = await self.score()
        if scoring.verdict or self.is_at(Stage.DEFERRED):
            await self.credit()
        if scoring.verdict is Verdict.REVIEW and self.is_at(Stage.HELD):
            workflow.upsert_search_attributes(search.review_updates(scoring.score))

    @workflow.signal
    def sign_up(self, signup: SignupSignal) -> None:
        if signup.standing is None:
            self.unrecorded.put(signup.event())
        elif self.is_at(Stage.INVITED):
            self.standing = signup.standing
            self.bind(signup.player_id)
            self.show()
        self.arrival.ring()

    @workflow.signal
    def make_deposit(self, deposit: Deposit) -> None:
        self.unrecorded.put(deposit)
        self.news.ring()

    @workflow.signal
    def charge_back(self, chargeback: Chargeback) -> None:
        self.unrecorded.put(chargeback)
        self.news.ring()

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        self.unrecorded.put(decision)
        self.news.ring()

    @workflow.signal
    def supersede(self, _: Any = None) -> None:  # noqa: ANN401 - whatever is said with it
        """Another referral has won the signup."""
        self.look()

    @workflow.signal
    def look(self, _: Any = None) -> None:  # noqa: ANN401 - whatever is said with it
        """Something of ours changed: a player's standing, a budget, another referral."""
        self.arrival.ring()
        self.news.ring()

    @workflow.query
    def current_stage(self) -> Stage:
        return self.standing.stage

    def is_at(self, *stages: Stage) -> bool:
        return self.standing.stage in stages

    @property
    def is_drained(self) -> bool:
        return self.unrecorded.is_empty and not self.news.has_rung

    def continue_as_new(self) -> None:
        referral = replace(self.referral, standing=self.standing)
        workflow.continue_as_new(referral, search_attributes=search.of_referral(referral))

    async def admit(self) -> None:
        look = self.act_request()
        admission = await workflow.execute_activity_method(
            ReferralActivities.admit_signup, look, **database_options("record the signup")
        )
        self.stand(admission.standing, look)
        if admission.referee_id:
            self.bind(admission.referee_id)

    async def score(self) -> Scoring:
        look = self.act_request()
        scoring = await workflow.execute_activity_method(
            FraudActivities.score_fraud, look, **fraud_provider_options("score the deposit")
        )
        self.stand(scoring.standing, look)
        return scoring

    async def expire(self) -> None:
        await self.act(ReferralActivities.expire_referral, "expire, unless it arrived after all")

    async def credit(self) -> None:
        await self.act(RewardActivities.credit_reward, "credit, hold, defer or refuse")

    async def resolve(self) -> None:
        await self.act(RewardActivities.resolve_hold, "credit or void what is held")

    async def compensate(self) -> None:
        await self.act(RewardActivities.compensate_reward, "compare with the deposit")

    async def settle(self) -> None:
        await self.act(RewardActivities.settle_referral, "close the chargeback window")

    async def act(self, activity: Act, summary: str) -> None:
        look = self.act_request()
        standing = await workflow.execute_activity_method(
            activity, look, **database_options(summary)
        )
        self.stand(standing, look)

    def act_request(self) -> Look:
        return Look(
            referral_id=self.referral.referral_id,
            standing=self.standing,
            now=workflow.now(),
            heard=self.unrecorded.heard(),
        )

    def stand(self, standing: Standing, look: Look) -> None:
        """Stand where the act found or left the referral; it has recorded what was heard."""
        self.standing = standing
        self.unrecorded.forget(look.heard)
        self.show()

    def bind(self, referee_id: str) -> None:
        self.referral = replace(self.referral, referee_id=referee_id)
        workflow.upsert_search_attributes(search.of_signup(referee_id))

    def show(self) -> None:
        """Say in the Temporal UI what it waits for, and why."""
        workflow.set_current_details(details(self.referral, self.standing))
