"""A workflow changed without a patch, so that running referrals would not replay."""

from temporalio import workflow

from domain.lifecycle.referral import Referral, Stage
from workflows.referral.workflow import ReferralWorkflow


@workflow.defn(name="ReferralWorkflow")
class IncompatibleWorkflow(ReferralWorkflow):
    """A workflow that compensates before anything else."""

    @workflow.init
    def __init__(self, referral: Referral) -> None:
        super().__init__(referral)

    @workflow.run
    async def run(self, referral: Referral) -> Stage:
        await self.compensate()
        return await super().run(referral)
