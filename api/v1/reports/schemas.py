"""Bodies of /v1/reports."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.v1.schemas.fields import ResponseBody


class SumOut(ResponseBody):
    """A sum of movements in minor units, negative where more was taken back than given."""

    minor: int = Field(description="Whole minor units, such as cents; may be negative")
    currency: str


Rewarded = Annotated[int, Field(description="Referrals credited for the first time")]
Reversed = Annotated[
    int, Field(description="Referrals whose reward was taken back for the first time")
]
NetCost = Annotated[
    list[SumOut],
    Field(description="Credited, less reversed and owed, and reinstated: equal to the ledger"),
]


class FunnelRowOut(ResponseBody):
    """One group of the funnel; it has its group under the name of `by`, null where not known."""

    day: str | None = Field(
        default=None, description="Day of the report's zone", examples=["2026-03-01"]
    )
    week: str | None = Field(default=None, description="Its Monday", examples=["2026-03-02"])
    cohort: str | None = Field(
        default=None, description="Monday of the invitation's week", examples=["2026-03-02"]
    )
    campaign: str | None = Field(
        default=None, description="The campaign's slug; beside `version` and `variant`, too"
    )
    version: int | None = Field(default=None, description="The version that was promised")
    channel: str | None = Field(
        default=None, description="Channel of the code's latest share before the invitation"
    )
    platform: str | None = Field(
        default=None, description="Platform of the signup, before that of the visit"
    )
    jurisdiction: str | None = Field(default=None, description="Jurisdiction of the signup")
    variant: str | None = Field(
        default=None,
        description="The variant whose rewards were promised; null where there was none",
    )
    shares: int = Field(description="Shares of codes")
    clicks: int = Field(description="Visits of people")
    invitations: int = Field(description="Referrals begun, those by a typed code included")
    signups: int = Field(description="Signups bound to a referral")
    qualified: int = Field(description="Referrals whose deposits meet the terms, held included")
    rewarded: Rewarded
    reversed: Reversed
    cost: NetCost


class FunnelOut(ResponseBody):
    rows: list[FunnelRowOut] = Field(description="Groups in their order, the unknown one last")


class BucketOut(ResponseBody):
    """Conversions that took less than a bound, and at least that of the bucket before."""

    up_to_s: int | None = Field(description="Seconds; null for the last bucket, which has no bound")
    conversions: int = Field(description="Referrals that qualified in such a time")


class TimeToConversionOut(ResponseBody):
    """Times from an invitation to the event that qualifies; null where nobody converted."""

    conversions: int = Field(description="Referrals that qualified")
    median_s: float | None = Field(description="Median in seconds")
    p90_s: float | None = Field(description="90th percentile in seconds")
    distribution: list[BucketOut] = Field(description="Conversions by the time they took")


class FraudOut(ResponseBody):
    """Referrals by the gravest verdict of the time, and reviews by people's decision in it."""

    assessed: int = Field(description="Referrals whose risk was scored")
    held: int = Field(description="Referrals held for a review")
    blocked: int = Field(description="Referrals that a rule refused")
    approved: int = Field(description="Reviews that a person approved")
    rejected: int = Field(description="Reviews that a person rejected")


class ReversalsOut(ResponseBody):
    rewarded: Rewarded
    reversed: Reversed
    amount: list[SumOut] = Field(description="Taken back or booked as owed")
    reinstated: list[SumOut] = Field(description="Given again after a chargeback was won")


class CostOut(ResponseBody):
    cost: NetCost
    new_depositors: int = Field(description="Referees with a qualifying deposit, held included")


class TopReferrerOut(ResponseBody):
    player_id: str
    rewarded: Rewarded


class TopReferrersOut(ResponseBody):
    rows: list[TopReferrerOut] = Field(description="Players, the most rewarded first")


class CampaignBudgetOut(ResponseBody):
    """A campaign's money in one currency: the budget is what is spent, held and free."""

    campaign: str
    budget: SumOut = Field(description="Funded, less defunded")
    spent: SumOut = Field(description="Credited and not taken back")
    held: SumOut = Field(description="Reserved for held rewards")
    free: SumOut = Field(description="What new rewards can use")
    owed: SumOut = Field(description="Part of `spent` that players owe")
    per_day: SumOut = Field(description="Mean spending of a day of the report's time")
    exhausted_at: datetime | None = Field(
        description="When nothing is free any more at this pace; null where not within ten years"
    )


class BudgetsOut(ResponseBody):
    rows: list[CampaignBudgetOut] = Field(description="Campaigns by slug and currency")
