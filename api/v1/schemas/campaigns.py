"""Bodies of /v1/campaigns."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from api.http.errors import Problem, invalid_field
from api.v1.schemas.campaign_links import LinkIn, PageUrl
from api.v1.schemas.fields import (
    MAX_SEGMENTS,
    Duration,
    MoneyIn,
    PlannedTime,
    PositiveDuration,
    PositiveMoneyIn,
    Reason,
    Reference,
    RequestBody,
    Segment,
    Slug,
    Text320,
)
from api.v1.schemas.preferences import ZoneName
from api.v1.schemas.terms import TermsIn
from domain.attribution.policy import DEFAULT_POLICY, Method, Pick, Policy, Tier
from domain.campaigns import default_offer
from domain.campaigns.audience import Audience
from domain.campaigns.options import CampaignOptions
from domain.campaigns.switches import SwitchState
from domain.campaigns.terms import Terms
from domain.campaigns.variants import PERCENT, Variant, rewards_in
from referrals.campaigns.views import Draft
from referrals.intake.contacts import mask_contacts

BODY_LIMIT_BYTES: Final = 2**20  # the terms may hold large trees of conditions
MAX_CURRENCIES: Final = 20  # budgets beside the first that one campaign may have
MAX_VARIANTS: Final = 10
"""Variants that one campaign may compare."""
VariantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
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


class VariantTermsIn(RequestBody):
    """Rewards of a variant, in the forms that `terms` has for them."""

    referrer_reward: PositiveMoneyIn | None = None
    referee_reward: MoneyIn | None = None
    rewards: Any = Field(
        default=None,
        description="In place of both, as in `terms`: a list of `{to, kind, amount}`",
        examples=[[{"to": "referrer", "amount": {"flat": {"minor": 1500, "currency": "USD"}}}]],
    )


class VariantIn(RequestBody):
    """A share of the referrers, and the rewards that their invitations promise."""

    name: VariantName = Field(examples=["fifteen"])
    weight: Annotated[int, Field(strict=True, ge=1, le=PERCENT - 1)] = Field(
        description="Percent of the referrers; those of all variants make 100", examples=[50]
    )
    terms: VariantTermsIn | None = Field(
        default=None, description="Null for the rewards of the campaign's own terms"
    )


class AudienceIn(RequestBody):
    """Segments of the players who may have a code, as `POST /v1/codes` names them."""

    allow: Annotated[list[Segment], Field(max_length=MAX_SEGMENTS)] = Field(
        default_factory=list,
        description="A player must have one of these segments; empty for every player",
        examples=[["vip"]],
    )
    deny: Annotated[list[Segment], Field(max_length=MAX_SEGMENTS)] = Field(
        default_factory=list,
        description="A player may have none of these segments, whatever `allow` says",
        examples=[["staff"]],
    )

    def to_audience(self) -> Audience:
        """Return the audience, or raise 422 for a segment that is both allowed and denied."""
        for index, segment in enumerate(self.deny):
            if segment in self.allow:
                raise invalid_field(f"audience.deny[{index}]", "Must not be allowed, too")
        return Audience(allow=tuple(sorted(set(self.allow))), deny=tuple(sorted(set(self.deny))))


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
    audience: AudienceIn = Field(
        default_factory=AudienceIn, description="Segments of the players who may have a code"
    )
    variants: Annotated[list[VariantIn], Field(max_length=MAX_VARIANTS)] = Field(
        default_factory=list,
        description="Rewards to compare: each referrer falls under one of them, by their id alone,"
        " and keeps it while the weights stay; empty for none",
    )

    def to_draft(self) -> Draft:
        """Return the draft, or raise 422 naming the first field that contradicts another."""
        self._check_consistency()
        terms = self._terms(self.terms)
        return Draft(
            slug=self.slug,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            destination=self.destination,
            budget=self.budget.to_money(),
            terms=terms,
            attribution=self.attribution.to_policy(),
            link=self.link.to_link_options(),
            options=CampaignOptions(
                time_zone=self.time_zone,
                priority=self.priority,
                currencies=tuple(money.to_money() for money in self.currencies),
                expected_rewards=self.expected_rewards,
                audience=self.audience.to_audience(),
            ),
            variants=tuple(
                self._variant(written, index) for index, written in enumerate(self.variants)
            ),
        )

    def _terms(self, written: TermsIn) -> Terms:
        return written.to_terms(
            currency=self.budget.currency,
            others=tuple(money.currency for money in self.currencies),
        )

    def _variant(self, written: VariantIn, index: int) -> Variant:
        """Return a variant, or raise 422 with the path of what its rewards have wrong."""
        if written.terms is None:
            return Variant(name=written.name, weight=written.weight)
        rewards = {name: getattr(written.terms, name) for name in VariantTermsIn.model_fields}
        try:
            terms = self._terms(self.terms.model_copy(update=rewards))
        except Problem as problem:
            (fault, *_) = problem.errors or ()
            raise invalid_field(f"variants[{index}].{fault.field}", fault.message) from problem
        return Variant(name=written.name, weight=written.weight, promised=rewards_in(terms))

    def _check_variants(self) -> None:
        names = [variant.name for variant in self.variants]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise invalid_field(f"variants[{index}].name", "Must have a name of its own")
        if names and sum(variant.weight for variant in self.variants) != PERCENT:
            raise invalid_field("variants", f"Must have weights that make {PERCENT} together")

    def _check_consistency(self) -> None:
        self._check_variants()
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


class PublicationIn(Reasoned):
    """The publication of what waits: a draft or a proposal."""

    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(
        default=None,
        description="Number of the version that was read; without it, whichever waits is published",
    )


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
