"""Schemas of the events that this service publishes, as consumers may rely on them.

Fields are only ever added. What an earlier release did not write has a default here, so that its
records are read, too; the tests hold every event that they cause to these classes, field by field.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.campaigns.budget_alerts import THRESHOLDS
from domain.campaigns.rules import RewardType
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from domain.money import RewardKind
from domain.rewards.reward import RewardStatus


class Published(BaseModel):
    """Base of what is published: a consumer ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="allow")


class MoneyOut(Published):
    """An amount in whole minor units."""

    minor: Annotated[int, Field(ge=0, description="Minor units: 1000 is $10.00, or ¥1,000")]
    currency: Annotated[str, Field(description="ISO 4217 code")]


class RewardOut(Published):
    """A reward of a referral, as the event left it."""

    reward_id: UUID
    reward_type: Annotated[
        str, Field(description="Its side", examples=[member.value for member in RewardType])
    ]
    kind: Annotated[
        str,
        Field(
            description="The balance that it is credited to; `cash` where it is left out",
            examples=[member.value for member in RewardKind],
        ),
    ] = RewardKind.CASH.value
    player_id: str
    amount: Annotated[
        MoneyOut,
        Field(
            description="What is promised; in `RewardReversed`, what was taken back or is owed now"
        ),
    ]
    status: Annotated[str, Field(examples=[member.value for member in RewardStatus])]


class EventOut(Published):
    """Fields of every event."""

    event_id: Annotated[UUID, Field(description="The same in every copy: drop what you have seen")]
    type: str
    schema_version: Annotated[int, Field(description="Of the fields, which are only added to")]
    occurred_at: AwareDatetime


class ReferralEvent(EventOut):
    """Fields of every event of a referral."""

    referral_id: UUID
    campaign: Annotated[str, Field(description="The campaign's slug")]
    campaign_version: Annotated[
        int | None, Field(description="The version whose terms were promised")
    ] = None
    variant: Annotated[str | None, Field(description="Whose rewards were promised, if any")] = None
    stage: Annotated[
        str,
        Field(
            description="Where the referral stands; later releases may have more stages",
            examples=[member.value for member in Stage],
        ),
    ]
    referrer_id: Annotated[str, Field(description="Who brings")]
    referee_id: Annotated[str | None, Field(description="Who is brought, once signed up")]
    reason_code: Annotated[
        str | None,
        Field(description="For machines", examples=[member.value for member in ReasonCode]),
    ] = None
    reason: Annotated[str | None, Field(description="For people")] = None


class RewardEvent(ReferralEvent):
    """Fields of every event about money."""

    rewards: Annotated[
        tuple[RewardOut, ...],
        Field(description="Every reward of the referral; empty where it never had one"),
    ] = ()
    owed: Annotated[
        MoneyOut | None, Field(description="Booked as owed now, because it was spent already")
    ] = None
    recovered: Annotated[
        MoneyOut | None, Field(description="Kept from this credit for debts of earlier rewards")
    ] = None
    spent: Annotated[
        MoneyOut | None,
        Field(
            description="Of what was taken back, what the players had spent; null with a wallet,"
            " which alone knows"
        ),
    ] = None


class CodeClicked(ReferralEvent):
    """A person followed a code: the first time, or again while the invitation is open."""

    type: Literal["CodeClicked"]
    code: str
    platform: Annotated[str | None, Field(description="`web`, `ios` or `android`, where known")]


class ReferralInvited(ReferralEvent):
    """Somebody followed a code, or typed it at signup."""

    type: Literal["ReferralInvited"]


class ReferralSignedUp(ReferralEvent):
    """A signup was bound to the referral; a second time when that was reported late."""

    type: Literal["ReferralSignedUp"]


class ReferralQualified(ReferralEvent):
    """A deposit meets the terms; precedes every event of the rewards that it earns."""

    type: Literal["ReferralQualified"]


class RewardHeld(RewardEvent):
    """The rewards are reserved, and wait for the reason."""

    type: Literal["RewardHeld"]


class RewardDeferred(RewardEvent):
    """The rewards wait for the campaign's money, or for the next period of a limit."""

    type: Literal["RewardDeferred"]
    deferred_until: Annotated[
        datetime | None,
        Field(description="First instant of the limit's next period; null where no time ends it"),
    ] = None


class RewardGranted(RewardEvent):
    """The rewards are credited."""

    type: Literal["RewardGranted"]


class RewardVoided(RewardEvent):
    """The deposit was taken back before the rewards were credited."""

    type: Literal["RewardVoided"]


class RewardReversed(RewardEvent):
    """The deposit was taken back, or a reviewer rejected the rewards, after they were credited."""

    type: Literal["RewardReversed"]


class RewardReinstated(RewardEvent):
    """The rewards are credited again, because the deposit was given back."""

    type: Literal["RewardReinstated"]


class AdjustedRewardOut(RewardOut):
    """A reward of a referral, with what stood of it before."""

    amount_before: Annotated[MoneyOut, Field(description="The same as `amount` if it stays")]


class RewardAdjusted(RewardEvent):
    """A part of the deposit was taken or given back, and the rewards follow; the stage stays."""

    type: Literal["RewardAdjusted"]
    rewards: tuple[AdjustedRewardOut, ...] = ()


class ReferralExpired(ReferralEvent):
    """No signup, or no qualifying deposit, in time."""

    type: Literal["ReferralExpired"]


class ReferralLost(ReferralEvent):
    """The signup was bound to another referral."""

    type: Literal["ReferralLost"]


class ReferralRejected(RewardEvent):
    """Fraud, the terms or a reviewer said no."""

    type: Literal["ReferralRejected"]


class ReferralUnfunded(RewardEvent):
    """The campaign ended without the money for it."""

    type: Literal["ReferralUnfunded"]


class ReferralSettled(RewardEvent):
    """The chargeback window has closed."""

    type: Literal["ReferralSettled"]


class CampaignEvent(EventOut):
    """Fields of events that belong to a campaign and to no referral."""

    referral_id: None = None
    campaign: Annotated[str, Field(description="The campaign's slug")]
    stage: None = None


class ShareRecorded(CampaignEvent):
    """A player shared a code; the record's key is the code."""

    type: Literal["ShareRecorded"]
    code: str
    channel: Annotated[str, Field(description="As the app names it", examples=["whatsapp"])]


class BudgetAlert(CampaignEvent):
    """A threshold of a campaign's budget is reached, told once until the campaign is funded again.

    The record's key is `campaign:{slug}`. At 100 nothing is left, or too little for a reward.
    """

    type: Literal["BudgetAlert"]
    threshold: Annotated[int, Field(description="Percent of the budget", examples=THRESHOLDS)]
    budget: Annotated[MoneyOut, Field(description="Funded, less what was taken out again")]
    left: MoneyOut


class TaxThresholdAlert(EventOut):
    """A player's rewards of a tax year come near a threshold, or reach it, over all campaigns.

    Told once for each year, currency and percentage; the record's key is `player:{player_id}`.
    """

    type: Literal["TaxThresholdAlert"]
    player_id: str
    tax_year: Annotated[date, Field(description="First day of the year, in UTC")]
    threshold: Annotated[int, Field(description="Percent of the limit", examples=[75, 100])]
    total: Annotated[MoneyOut, Field(description="Rewards of the year, held ones included")]
    limit: MoneyOut


class WebhookDisabled(EventOut):
    """A webhook is disabled after repeated failures; the record's key is `webhook:{id}`."""

    type: Literal["WebhookDisabled"]
    webhook_id: UUID
    failing_since: AwareDatetime
    reason_code: str
    reason: str


EVENTS: Final[tuple[type[EventOut], ...]] = (
    ShareRecorded,
    CodeClicked,
    ReferralInvited,
    ReferralSignedUp,
    ReferralQualified,
    RewardHeld,
    RewardDeferred,
    RewardGranted,
    RewardVoided,
    RewardReversed,
    RewardReinstated,
    RewardAdjusted,
    ReferralExpired,
    ReferralLost,
    ReferralRejected,
    ReferralUnfunded,
    ReferralSettled,
    BudgetAlert,
    TaxThresholdAlert,
    WebhookDisabled,
)
"""Events of `referral.events.v1`."""
