"""An engineer, who reads and signals workflows in Temporal."""

from dataclasses import dataclass
from typing import Any, Final

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.responses import Referral

PATIENT_S: Final = 60.0
"""A crowd of lives takes longer than one, above all on a busy machine."""


@dataclass(frozen=True, slots=True)
class Engineer:
    temporal: Client
    sportsbook: SportsbookClient

    async def wait_until_idle(self, referral_id: str) -> Referral:
        """Wait until every delivery was acted on, and return the referral."""
        await self.sportsbook.wait_until_delivered()
        referral = await self.sportsbook.referral(referral_id)
        await wait_until(
            lambda: self._description(referral.workflow_id),
            lambda seen: seen is not None and _is_idle(seen),
            what=f"{referral.workflow_id} has acted",
            within_s=PATIENT_S,
        )
        return await self.sportsbook.referral(referral_id)

    async def wait_until_started(self, workflow_id: str) -> None:
        await wait_until(
            lambda: self._description(workflow_id),
            lambda seen: seen is not None,
            what=f"{workflow_id} is started",
        )

    async def signal(self, workflow_id: str, name: str, *arguments: object) -> None:
        """Signal the workflow with plain JSON, as another service may."""
        plain: list[Any] = list(arguments)
        await self.temporal.get_workflow_handle(workflow_id).signal(name, args=plain)

    async def _description(self, workflow_id: str) -> WorkflowExecutionDescription | None:
        try:
            return await self.temporal.get_workflow_handle(workflow_id).describe()
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None


def _is_idle(seen: WorkflowExecutionDescription) -> bool:
    raw = seen.raw_description
    return not raw.pending_activities and not raw.HasField("pending_workflow_task")
