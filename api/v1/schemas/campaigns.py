"""Bodies of /v1/campaigns."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from api.http.errors import invalid_field
from api.v1.schemas.campaign_links import LinkIn, PageUrl
from api.v1.schemas.fields import (
    Duration,
    MoneyIn,
    PlannedTime,
    PositiveDuration,
    PositiveMoneyIn,
    Reason,
    Reference,
    RequestBody,
    Slug,
    Text320,
)
from api.v1.schemas.preferences import ZoneName
from api.v1.schemas.terms import TermsIn
from domain.attribution.policy import DEFAULT_POLICY, Method, Pick, Policy, Tier
from domain.campaigns import default_offer
from domain.campaigns.options import CampaignOptions
from domain.campaigns.switches import SwitchState
from referrals.campaigns.views import Draft
from referrals.intake.contacts import mask_contacts

MAX_CURRENCIES: Final = 20
"""Budgets beside the first that one campaign may have."""
CONDITION_FIELDS: Final = "fields"
"""Last part of the address of the fields of conditions, which is therefore not a slug."""
NO_REASON: Final = "no reason given"


POLICY_METHODS: Final = tuple(
    method for method in Method if method not in {Method.MANUAL, Method.SIGNAL}
)
"""Methods that a policy may order. Manual rebinds outrank all; signals count as link tokens."""


def _check_policy_method(method: Method) -> Method:
    if method not in POLICY_METHODS:
        raise ValueError(f"Must be one of {', '.join(POLICY_METHODS)}")
    return method


PolicyMethod = Annotated[Method, AfterValidator(_check_policy_method)]


class StepIn(RequestBody):
    """Methods of equal rank."""

    methods: Annotated[list[PolicyMethod], Field(min_length=1, max_length=len(POLICY_METHODS))]
    touch: Pick = Field(
        default=Pick.LAST, description="Which counts of several touches of equal rank"
    )
    window: PositiveDuration | None = Field(
        default=None, description="How long before the signup a touch may lie; null is no limit"
    )


def _default_order() -> list[StepIn]:
    return [StepIn(methods=list(step.methods)) for step in DEFAULT_POLICY.order]


class PolicyIn(RequestBody):
    """The ranking of attribution methods. A method that no step names never counts."""

    order: Annotated[list[StepIn], Field(min_length=1, max_length=len(POLICY_METHODS))] = Field(
        default_factory=_default_order
    )
    claim_grace: Duration = Field(
        default=DEFAULT_POLICY.claim_grace,
        description="How long after the signup a player may still claim a code",
    )
    match_window: Duration = Field(
        default=DEFAULT_POLICY.match_window,
        description="How long before an app's first open a click may lie to match its device",
    )

    def to_policy(self) -> Policy:
        """Return the policy, or raise 422 when two steps name the same method."""
        named = [method for step in self.order for method in step.methods]
        if len(named) != len(set(named)):
            raise invalid_field("attribution.order", "Each method may appear only once")
        return Policy(
            order=tuple(
                Tier(methods=tuple(step.methods), touch=step.touch, window=step.window)
                for step in self.order
            ),
            claim_grace=self.claim_grace,
            match_window=self.match_window,
        )


class CampaignIn(RequestBody):
    """A campaign's full content. Its amounts are in the currencies of its budgets."""

    slug: Slug
    name: Text320
    starts_at: PlannedTime = default_offer.STARTS_AT
    ends_at: PlannedTime | None = None
    destination: PageUrl = Field(
        default=default_offer.DESTINATION,
        description="https URL of the signup page; the referral token is added to its query",
    )
    budget: MoneyIn = Field(
        description="Funded when the campaign is first published, and fixed from then on"
    )
    terms: TermsIn
    attribution: PolicyIn = Field(default_factory=PolicyIn)
    link: LinkIn = Field(default_factory=LinkIn)
    time_zone: ZoneName = Field(
        default=default_offer.TIME_ZONE,
        description="IANA zone in which the campaign's days, weeks and months begin",
    )
    priority: Annotated[int, Field(strict=True, ge=-1000, le=1000)] = Field(
        default=default_offer.PRIORITY,
        description="Where several campaigns apply to a signup, the largest goes first",
    )
    currencies: Annotated[list[MoneyIn], Field(max_length=MAX_CURRENCIES)] = Field(
        default_factory=list, description="Budgets in further currencies, beside the first"
    )
    expected_rewards: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = Field(
        default=None,
        description="Number of referrals expected to be rewarded: the budget must cover them when"
        " the campaign is published",
    )

    def to_draft(self) -> Draft:
        """Return the draft, or raise 422 naming the first field that contradicts another."""
        self._check_consistency()
        return Draft(
            slug=self.slug,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            destination=self.destination,
            budget=self.budget.to_money(),
            terms=self.terms.to_terms(
                currency=self.budget.currency,
                others=tuple(money.currency for money in self.currencies),
            ),
            attribution=self.attribution.to_policy(),
            link=self.link.to_link_options(),
            options=CampaignOptions(
                time_zone=self.time_zone,
                priority=self.priority,
                currencies=tuple(money.to_money() for money in self.currencies),
                expected_rewards=self.expected_rewards,
            ),
        )

    def _check_consistency(self) -> None:
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise invalid_field("ends_at", "Must be after starts_at")
        if self.slug == CONDITION_FIELDS:
            raise invalid_field("slug", f"Must not be {CONDITION_FIELDS!r}, the name of a route")
        seen = {self.budget.currency}
        for index, money in enumerate(self.currencies):
            if money.currency in seen:
                raise invalid_field(f"currencies[{index}].currency", "Must have no budget yet")
            seen.add(money.currency)


ShortReason = Annotated[Text320, AfterValidator(mask_contacts)]


class Reasoned(RequestBody):
    """The reason of an action, for the audit."""

    reason: ShortReason = NO_REASON


class FundingIn(Reasoned):
    """An addition to the budget."""

    amount: PositiveMoneyIn
    reference: Reference = Field(
        description="Idempotency key: an amount is added once per campaign and reference"
    )


class DefundingIn(RequestBody):
    """Money taken back out of the budget."""

    amount: PositiveMoneyIn
    reference: Reference = Field(
        description="Idempotency key: an amount is taken back once per campaign and reference"
    )
    reason: ShortReason = Field(description="Why it is taken back, for the audit")


class SwitchIn(RequestBody):
    """The state of a kill switch."""

    state: SwitchState
    reason: Reason
