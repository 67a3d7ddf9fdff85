"""A workflow that somebody changed without thinking of the referrals that are under way."""

from temporalio import workflow

from domain.lifecycle.referral import Referral, Stage
from workflows.referral.workflow import ReferralWorkflow


@workflow.defn(name="ReferralWorkflow")
class IncompatibleWorkflow(ReferralWorkflow):
    """Looks at the deposit first of all."""

    @workflow.init
    def __init__(self, referral: Referral) -> None:
        super().__init__(referral)

    @workflow.run
    async def run(self, referral: Referral) -> Stage:
        await self.compensate()
        return await super().run(referral)
