"""Answers of /v1/campaigns and /v1/switches."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import Field

from api.v1.schemas.campaign_links import LinkOut
from api.v1.schemas.fields import MoneyOut, ResponseBody
from api.v1.schemas.terms import TermsOut, shown_terms
from domain.attribution.policy import Method, Pick
from domain.campaigns.switches import SwitchState
from domain.campaigns.terms import CampaignStatus, Terms
from domain.campaigns.variants import Variant, terms_of_variant
from referrals.campaigns.version_views import VersionStatus
from referrals.campaigns.views import CampaignView

OPTION_FIELDS: Final = ("time_zone", "priority", "currencies", "expected_rewards", "audience")


class StepOut(ResponseBody):
    """Methods of equal rank; see `StepIn`."""

    methods: list[Method]
    touch: Pick
    window: timedelta | None


class PolicyOut(ResponseBody):
    """The ranking of attribution methods; see `PolicyIn`."""

    order: list[StepOut]
    claim_grace: timedelta
    match_window: timedelta


class ProposalOut(ResponseBody):
    """A version of a published campaign that waits for a second person."""

    version: int


class AudienceOut(ResponseBody):
    """Segments of the players who may have a code; see `AudienceIn`."""

    allow: list[str] = Field(
        description="A player must have one of these; empty for every player", examples=[["vip"]]
    )
    deny: list[str] = Field(description="A player may have none of these", examples=[["staff"]])


class VariantTermsOut(ResponseBody):
    """Rewards of a variant; see `VariantTermsIn`."""

    referrer_reward: MoneyOut | None = Field(description="Null where `rewards` says what is paid")
    referee_reward: MoneyOut | None
    rewards: list[dict[str, Any]] | None = Field(
        description="What is paid beyond flat cash, each `{to, kind, amount}`; null for nothing"
    )


class VariantOut(ResponseBody):
    """A share of the referrers, and the rewards that their invitations promise."""

    name: str = Field(examples=["fifteen"])
    weight: int = Field(description="Percent of the referrers", examples=[50])
    terms: VariantTermsOut | None = Field(
        description="Null for the rewards of the campaign's own terms"
    )

    @classmethod
    def of(cls, variant: Variant, terms: Terms) -> Self:
        """Build the body of a variant of a campaign's terms."""
        shown = None
        if variant.promised is not None:
            whole = shown_terms(terms_of_variant(terms, variant))
            fields = {name: whole[name] for name in VariantTermsOut.model_fields}
            shown = VariantTermsOut.model_validate(fields)
        return cls(name=variant.name, weight=variant.weight, terms=shown)


class CampaignOut(ResponseBody):
    """A campaign's live version, with its status and available budget."""

    slug: str
    name: str
    status: CampaignStatus
    version: int
    starts_at: datetime
    ends_at: datetime | None
    destination: str
    budget: MoneyOut
    available_budget: MoneyOut = Field(description="What is neither held nor paid yet")
    terms: TermsOut
    attribution: PolicyOut
    link: LinkOut
    time_zone: str
    priority: int
    currencies: list[MoneyOut] = Field(description="Planned budgets in further currencies")
    available_currencies: list[MoneyOut] = Field(
        description="What is neither held nor paid yet of the further budgets"
    )
    expected_rewards: int | None
    audience: AudienceOut = Field(description="Segments of the players who may have a code")
    variants: list[VariantOut] = Field(description="Rewards to compare; empty for none")
    proposal: ProposalOut | None = Field(
        description="The version that waits for a second person; the rest shows the live one"
    )
    created_at: datetime

    @classmethod
    def of(cls, view: CampaignView) -> Self:
        """Build the body of a view, whose options stand beside its other fields."""
        fields = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name)}
        options = {name: getattr(view.options, name) for name in OPTION_FIELDS}
        proposed = view.proposed_version
        proposal = None if proposed is None else ProposalOut(version=proposed)
        variants = [VariantOut.of(one, view.terms) for one in view.variants]
        return cls.model_validate({**fields, **options, "variants": variants, "proposal": proposal})


class ChangeOut(ResponseBody):
    """One field that a version changes of the one before it; null where there was no value."""

    field: str = Field(examples=["terms.referrer_reward.minor"])
    before: Any
    after: Any


class CampaignVersionOut(ResponseBody):
    """One version of a campaign's content, which never changes."""

    version: int
    status: VersionStatus
    written_by: str
    written_at: datetime
    published_by: str | None
    published_at: datetime | None
    changes: list[ChangeOut]


class VersionsOut(ResponseBody):
    """The versions of a campaign, oldest first."""

    items: list[CampaignVersionOut]


class SwitchOut(ResponseBody):
    """A kill switch; one that was never turned is on, and in no list."""

    scope: str = Field(examples=["campaign:spring"])
    state: SwitchState
    reason: str
    switched_by: str
    switched_at: datetime


class SwitchesOut(ResponseBody):
    """The kill switches that were ever turned, in the order of their scopes."""

    items: list[SwitchOut]
