"""Bodies of simulations."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.http.errors import invalid_field
from api.v1.schemas.fields import MoneyOut, PlannedTime, RequestBody, ResponseBody
from domain.campaigns.rules import RewardType
from domain.money import RewardKind


class SimulateIn(RequestBody):
    """The referrals to replay, by the time of their invitation, and the version to replay."""

    since: PlannedTime = Field(alias="from")
    until: PlannedTime = Field(alias="to", description="Exclusive; later than `from`")
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Number of the version; the proposal, or else the live one"
    )

    def check(self) -> None:
        """Raise 422 for a time that ends before it begins."""
        if self.until <= self.since:
            raise invalid_field("to", "Must be later than `from`")


class TotalsOut(ResponseBody):
    """Rewards and what they cost."""

    rewards: int
    cost: list[MoneyOut] = Field(description="One sum for each currency; empty for nothing")


class ChangedReferralOut(ResponseBody):
    """A referral whose rewards would be others."""

    referral_id: str
    before: TotalsOut
    after: TotalsOut
    why: str = Field(
        description="`amount`, `qualifies`, or a reason code with what it is about behind a colon",
        examples=["amount", "condition_not_met: terms.when.all[0]", "limit: referrer_month"],
    )


class RewardSpreadOut(ResponseBody):
    """The rewards of one kind to one side."""

    to: RewardType
    kind: RewardKind
    rewards: int
    smallest: MoneyOut = Field(description="The smallest reward, in minor units")
    median: MoneyOut = Field(description="The reward in the middle, in minor units")
    largest: MoneyOut = Field(description="The largest reward, in minor units")
    cost: MoneyOut = Field(description="Their sum, in minor units")


class BudgetReachOut(ResponseBody):
    """A budget: the free money and what the period's rewards have of it today."""

    budget: MoneyOut
    left: MoneyOut = Field(description="What the period's rewards would leave of it")
    exhausted_at: datetime | None = Field(
        description="When it would not have covered a reward for the first time"
    )


class SimulationOut(ResponseBody):
    """A period replayed by a version of the campaign."""

    version: int
    live_version: int = Field(description="Number of the live version")
    referrals: int = Field(description="Referrals invited in the period")
    before: TotalsOut = Field(description="Rewards of these referrals that stand today")
    after: TotalsOut = Field(description="Rewards that would stand by the version")
    live: TotalsOut = Field(description="Rewards that would stand by the live version")
    qualified: int = Field(description="Referrals that meet the version's terms")
    unpaid: dict[str, int] = Field(
        description="Referrals that would be paid nothing, by reason code"
    )
    spread: list[RewardSpreadOut] = Field(description="Distribution of the version's rewards")
    budgets: list[BudgetReachOut] = Field(description="How far each budget would reach")
    changed_total: int = Field(description="Number of all changed referrals")
    changed: list[ChangedReferralOut] = Field(description="The first 1,000 changed referrals")
