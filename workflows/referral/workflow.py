"""The workflow of one referral, in the order in which things happen."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception
from temporalio.workflow import ActivityConfig

from activities.fraud import FraudActivities
from activities.messages import ActRequest, Scoring
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from domain.fraud.rules import Verdict
from domain.intake.facts import Chargeback, Decision, Deposit
from domain.lifecycle.referral import (
    CREDITED_STAGES,
    EARNING_STAGES,
    Referral,
    Stage,
    Standing,
)
from workflows.builds import acts_in_place, scores_and_credits_at_once
from workflows.cancellation import play_on
from workflows.options import asking_options, database_options, local_options
from workflows.referral import visibility
from workflows.referral.messages import LONGEST_WAIT, SignupSignal, read_signal
from workflows.referral.patches import DRAIN_PATCH, RENEW_PATCH, REOPEN_PATCH, STANDING_PATCH
from workflows.referral.signal_buffer import Causes, UnrecordedFacts, WakeFlag

Outcome = TypeVar("Outcome")
Act = Callable[[Any, ActRequest], Awaitable[Outcome]]
"""An activity that looks at the recorded facts, acts, and returns the new standing or more."""


@workflow.defn
class ReferralWorkflow:
    """One referral, from its invitation until its chargeback window has closed.

    A signal only wakes it: the activities read the recorded facts. So a signal that arrives twice,
    late or out of order changes nothing, and a referral can be started again from its standing.
    """

    @workflow.init
    def __init__(self, referral: Referral) -> None:
        self.referral = referral
        self.standing = referral.standing
        self.signup_arrived = WakeFlag()
        self.facts_arrived = WakeFlag()
        self.unrecorded = UnrecordedFacts()
        self.causes = Causes()
        self.score_told = 0
        self.stage_shown = referral.standing.stage

    @workflow.run
    async def run(self, referral: Referral) -> Stage:
        self.show()
        return await play_on(self.live, look=self.look)

    async def live(self) -> Stage:
        """Play until the referral has ended."""
        await self.play()
        while self.is_at(*EARNING_STAGES) and workflow.patched(REOPEN_PATCH):
            # Re-opened while this run was ending: what re-opened it is recorded, so look at it.
            self.look()
            await self.play()
        return self.standing.stage

    async def play(self) -> None:
        """Go from where the referral stands to an end, or to the start of a run of its own."""
        if self.is_at(*EARNING_STAGES):
            await self.earn()
            if not self.is_drained and workflow.patched(DRAIN_PATCH):
                await self.drain()
            if self.is_at(*CREDITED_STAGES) and self.is_drained:
                # Months of waiting follow: they need no more history than this.
                self.continue_as_new()
        if self.is_at(*CREDITED_STAGES):
            await self.watch_for_chargebacks()
        await self.drain()

    async def earn(self) -> None:
        """Go from the invitation to a credited reward, or to an end without one."""
        while self.is_at(Stage.INVITED):
            self.renew()
            if not await self.wait_for(self.signup_arrived):
                await self.expire()
            elif self.is_at(Stage.INVITED):
                await self.admit()

        while self.is_at(Stage.SIGNED_UP):
            self.renew()
            if not await self.wait_for(self.facts_arrived):
                await self.expire()
            if self.is_at(Stage.SIGNED_UP):
                await self.score_and_credit()

        while self.is_at(Stage.DEFERRED):
            self.renew()
            await self.wait_for(self.facts_arrived)
            await self.score_and_credit()

        while self.is_at(Stage.HELD):
            self.renew()
            await self.wait_for(self.facts_arrived)
            await self.resolve()

    async def watch_for_chargebacks(self) -> None:
        """Keep the credit equal to what is due, until the window closes and after late facts."""
        settled = False
        while not (settled and self.is_drained):
            if not settled:
                self.renew()
            settled = not await self.wait_for(self.facts_arrived)
            await (self.settle() if settled else self.compensate())

    async def drain(self) -> None:
        """Act until no signal is pending; the caller must then go on without an await."""
        while not self.is_drained:
            self.facts_arrived.clear()
            await self.compensate()

    async def score_and_credit(self) -> None:
        if scores_and_credits_at_once():
            summary = "score, and credit, hold, defer or refuse"
            await self.score(RewardActivities.score_and_credit, database_options(summary))
            return
        scoring = await self.score(FraudActivities.score_fraud, asking_options("score the deposit"))
        if scoring.verdict or self.is_at(Stage.DEFERRED):
            await self.credit()
        # Acts in place have shown it already.
        if not acts_in_place() and scoring.verdict is Verdict.REVIEW and self.is_at(Stage.HELD):
            workflow.upsert_search_attributes(visibility.review_updates(scoring.score))

    @workflow.signal
    def sign_up(self, event: dict[str, Any]) -> None:
        signup = read_signal(SignupSignal, event)
        if signup.standing is None:
            self.unrecorded.put(signup.as_signup(), event)
        elif self.is_at(Stage.INVITED) and self.believes(signup.standing):
            self.standing = signup.standing
            self.set_referee(signup.player_id)
            self.show()
        self.signup_arrived.set()

    @workflow.signal
    def make_deposit(self, event: dict[str, Any]) -> None:
        self.unrecorded.put(read_signal(Deposit, event), event)
        self.facts_arrived.set()

    @workflow.signal
    def charge_back(self, event: dict[str, Any]) -> None:
        self.unrecorded.put(read_signal(Chargeback, event), event)
        self.facts_arrived.set()

    @workflow.signal
    def decide(self, event: dict[str, Any]) -> None:
        self.unrecorded.put(read_signal(Decision, event), event)
        self.facts_arrived.set()

    @workflow.signal
    def supersede(self, _: Any = None) -> None:  # noqa: ANN401 - any argument is ignored
        """Look again: the signup belongs to another referral."""
        self.look()

    @workflow.signal
    def look(self, told: Any = None) -> None:  # noqa: ANN401 - any argument may come
        """Look again: a recorded fact, a budget or another referral has changed."""
        self.causes.put(told)
        self.signup_arrived.set()
        self.facts_arrived.set()

    @workflow.query
    def current_stage(self) -> Stage:
        return self.standing.stage

    def is_at(self, *stages: Stage) -> bool:
        return self.standing.stage in stages

    @property
    def is_drained(self) -> bool:
        return self.unrecorded.is_empty and not self.facts_arrived.is_set

    def believes(self, standing: Standing) -> bool:
        """Return whether a signalled standing may be waited in; acts compare it with the record."""
        is_plausible = (
            standing.stage is Stage.SIGNED_UP and standing.until < workflow.now() + LONGEST_WAIT
        )
        return is_plausible or not workflow.patched(STANDING_PATCH)

    def renew(self) -> None:
        """Continue as new before the history is too long; call it where an await would follow."""
        is_long = workflow.info().is_continue_as_new_suggested()
        if not is_long or not workflow.patched(RENEW_PATCH):
            return
        if self.is_at(Stage.INVITED):
            if not self.unrecorded.is_empty:
                # Nothing would read them before the signup; the next act does.
                self.signup_arrived.set()
            if not self.signup_arrived.is_set:
                self.continue_as_new()
        elif self.is_drained:
            self.continue_as_new()

    def continue_as_new(self) -> None:
        referral = replace(self.referral, standing=self.standing)
        workflow.continue_as_new(
            referral, search_attributes=visibility.referral_attributes(referral)
        )

    async def admit(self) -> None:
        request = self.act_request()
        admission = await self.perform(
            ReferralActivities.admit_signup, request, database_options("record the signup")
        )
        self.update_standing(admission.standing, request)
        if admission.referee_id:
            self.set_referee(admission.referee_id)

    async def score(self, activity: Act[Scoring], options: ActivityConfig) -> Scoring:
        request = self.act_request()
        scoring = await self.perform(activity, request, options)
        self.score_told = scoring.score
        self.update_standing(scoring.standing, request)
        return scoring

    async def expire(self) -> None:
        await self.act(ReferralActivities.expire_referral, "expire, unless it arrived after all")

    async def credit(self) -> None:
        await self.act(RewardActivities.credit_reward, "credit, hold, defer or refuse")

    async def resolve(self) -> None:
        await self.act(RewardActivities.resolve_hold, "credit or void what is held", asks=True)

    async def compensate(self) -> None:
        await self.act(RewardActivities.compensate_reward, "compare with the deposit")

    async def settle(self) -> None:
        await self.act(RewardActivities.settle_referral, "close the chargeback window")

    async def act(self, activity: Act[Standing], summary: str, *, asks: bool = False) -> None:
        request = self.act_request()
        options = asking_options(summary) if asks else database_options(summary)
        standing = await self.perform(activity, request, options)
        self.update_standing(standing, request)

    async def perform(
        self, activity: Act[Outcome], request: ActRequest, options: ActivityConfig
    ) -> Outcome:
        """Act in this task, or by a task of its own: where that fails, or where it asks others."""
        if acts_in_place() and "task_queue" not in options:
            local = local_options(visibility.act_summary(options.get("summary") or "", request))
            try:
                return await workflow.execute_local_activity_method(activity, request, **local)
            except FailureError as failure:
                if is_cancelled_exception(failure):
                    raise
        return await workflow.execute_activity_method(activity, request, **options)

    async def wait_for(self, arrived: WakeFlag) -> bool:
        """Wait for a flag; return False when the standing's end came first."""
        summary = visibility.timer_summary(self.standing)
        return await arrived.wait(until=self.standing.until, summary=summary)

    def act_request(self) -> ActRequest:
        return ActRequest(
            referral_id=self.referral.referral_id,
            standing=self.standing,
            now=workflow.now(),
            heard=self.unrecorded.snapshot(),
            because_of=self.causes.take(),
        )

    def update_standing(self, standing: Standing, request: ActRequest) -> None:
        """Take over the standing that an act returned; it has recorded what was signalled."""
        is_same = standing.stage is self.standing.stage and not standing.note
        self.standing = replace(standing, note=self.standing.note) if is_same else standing
        self.unrecorded.discard(request.heard)
        if standing.is_found and acts_in_place():
            # This task met a further signal and is done again: nothing has looked at what it told.
            self.look()
        if self.unrecorded.is_in_parts and not self.unrecorded.is_empty:
            # What was left is handed to the next act, which must not wait for another signal.
            self.look()
        self.show()

    def set_referee(self, referee_id: str) -> None:
        self.referral = replace(self.referral, referee_id=referee_id)
        workflow.upsert_search_attributes(visibility.signup_updates(referee_id))
        self.stage_shown = Stage.SIGNED_UP

    def show(self) -> None:
        """Show in the Temporal UI where the referral stands and what it waits for."""
        workflow.set_current_details(visibility.details_markdown(self.referral, self.standing))
        stage = self.standing.stage
        if acts_in_place() and visibility.shows_entering(stage, shown=self.stage_shown):
            workflow.upsert_search_attributes(visibility.stage_updates(stage, self.score_told))
            self.stage_shown = stage
