"""The workflow of one case: the clock that escalates it until a person has decided it."""

from dataclasses import replace

from temporalio import workflow

from activities.cases import AttendRequest, CaseActivities
from domain.fraud.cases import CaseStart, CaseStatus
from workflows.cancellation import play_on
from workflows.case.visibility import details_markdown
from workflows.options import database_options
from workflows.referral.signal_buffer import WakeFlag


@workflow.defn
class CaseWorkflow:
    """One case, from its opening until it is decided, or events leave nothing to decide.

    People act in Postgres; a signal only lets the workflow look there again. Silence never decides:
    each time that the case is due it is escalated, and waits for another review period.
    """

    @workflow.init
    def __init__(self, case: CaseStart) -> None:
        self.case = case
        self.standing = case.standing
        self.woken = WakeFlag()

    @workflow.run
    async def run(self, case: CaseStart) -> CaseStatus:
        self.show()
        return await play_on(self.wait_for_decision, look=self.look)

    async def wait_for_decision(self) -> CaseStatus:
        """Attend to the case whenever it is due or something changed, until it has ended."""
        while self.standing.status is CaseStatus.OPEN or self.woken.is_set:
            await self.woken.wait(until=self.standing.due_at)
            await self.attend()
            if workflow.info().is_continue_as_new_suggested() and not self.woken.is_set:
                workflow.continue_as_new(replace(self.case, standing=self.standing))
        return self.standing.status

    @workflow.signal
    def look(self) -> None:
        """Look again: a person or an event has changed the case."""
        self.woken.set()

    @workflow.query
    def current_status(self) -> CaseStatus:
        return self.standing.status

    async def attend(self) -> None:
        self.standing = await workflow.execute_activity_method(
            CaseActivities.attend_case,
            AttendRequest(case_id=self.case.case_id, now=workflow.now()),
            **database_options("end the case, or escalate it when it is due"),
        )
        self.show()

    def show(self) -> None:
        """Show in the Temporal UI where the case stands and what it waits for."""
        workflow.set_current_details(details_markdown(self.case, self.standing))
