"""Campaigns: what people draft, and what they are shown."""

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from api.http.errors import invalid_field
from api.v1.schemas.fields import (
    Duration,
    Line,
    MoneyIn,
    MoneyOut,
    PlannedTime,
    PositiveDuration,
    PositiveMoneyIn,
    RequestBody,
    ResponseBody,
    Slug,
    Text320,
)
from domain.attribution.policy import DEFAULT_POLICY, Method, Pick, Policy, Tier
from domain.campaigns.terms import CampaignStatus, LinkOpens, LinkOptions, Terms
from referrals.campaigns.views import Draft

NO_REASON: Final = "no reason given"
PLAIN: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII but the backslash, which browsers take for a slash."""


def _check_destination(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError("This is no address") from fault
    if not host or parts.username is not None or not PLAIN.fullmatch(address):
        raise ValueError("An address is plain ASCII, with a host and without a user")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("An address is https; http only for this very machine")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


DestinationUrl = Annotated[
    str, Field(min_length=1, max_length=1024), AfterValidator(_check_destination)
]


class TermsIn(RequestBody):
    """What is promised to each referral from the moment of its invitation."""

    signup_window: PositiveDuration
    deposit_window: PositiveDuration
    minimum_deposit: MoneyIn
    hold_period: Duration
    review_period: PositiveDuration
    chargeback_window: PositiveDuration
    lateness_grace: Duration
    referrer_reward: PositiveMoneyIn
    referee_reward: MoneyIn | None = None

    def terms(self) -> Terms:
        return Terms(
            signup_window=self.signup_window,
            deposit_window=self.deposit_window,
            minimum_deposit=self.minimum_deposit.money(),
            hold_period=self.hold_period,
            review_period=self.review_period,
            chargeback_window=self.chargeback_window,
            lateness_grace=self.lateness_grace,
            referrer_reward=self.referrer_reward.money(),
            referee_reward=self.referee_reward.money() if self.referee_reward else None,
        )


POLICY_METHODS: Final = tuple(
    method for method in Method if method not in {Method.MANUAL, Method.SIGNAL}
)
"""What a policy may name: support's word outranks all, and a signal counts as a token."""
JURISDICTION_PATTERN: Final = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"


def _check_policy_method(method: Method) -> Method:
    if method not in POLICY_METHODS:
        raise ValueError(f"A policy orders these: {', '.join(POLICY_METHODS)}")
    return method


PolicyMethod = Annotated[Method, AfterValidator(_check_policy_method)]
Jurisdiction = Annotated[str, Field(pattern=JURISDICTION_PATTERN, examples=["CA-ON", "BR"])]


class StepIn(RequestBody):
    """Methods of equal rank. A touch counts for `window` before the signup; null is no limit."""

    methods: Annotated[list[PolicyMethod], Field(min_length=1, max_length=len(POLICY_METHODS))]
    touch: Pick = Pick.LAST
    window: PositiveDuration | None = None


def _default_order() -> list[StepIn]:
    return [StepIn(methods=list(step.methods)) for step in DEFAULT_POLICY.order]


class PolicyIn(RequestBody):
    """Which way of being brought counts first; a method that no step names does not count."""

    order: Annotated[list[StepIn], Field(min_length=1, max_length=len(POLICY_METHODS))] = Field(
        default_factory=_default_order
    )
    claim_grace: Duration = Field(default=DEFAULT_POLICY.claim_grace)
    match_window: Duration = Field(default=DEFAULT_POLICY.match_window)

    def policy(self) -> Policy:
        """422 when a method has two places."""
        named = [method for step in self.order for method in step.methods]
        if len(named) != len(set(named)):
            raise invalid_field("attribution.order", "A method has one place")
        return Policy(
            order=tuple(
                Tier(methods=tuple(step.methods), touch=step.touch, window=step.window)
                for step in self.order
            ),
            claim_grace=self.claim_grace,
            match_window=self.match_window,
        )


class LinkIn(RequestBody):
    """Where /r/{code} leads a person, and where no inducement may be shown (ISO 3166)."""

    opens: LinkOpens = LinkOpens.DESTINATION
    no_inducement_in: Annotated[list[Jurisdiction], Field(max_length=200)] = Field(
        default_factory=list
    )

    def options(self) -> LinkOptions:
        places = tuple(sorted(set(self.no_inducement_in)))
        return LinkOptions(opens=self.opens, no_inducement_in=places)


class CampaignIn(RequestBody):
    """All of a campaign; all its money is in one currency."""

    slug: Slug
    name: Text320
    starts_at: PlannedTime
    ends_at: PlannedTime | None = None
    destination: DestinationUrl
    budget: MoneyIn
    terms: TermsIn
    attribution: PolicyIn = Field(default_factory=PolicyIn)
    link: LinkIn = Field(default_factory=LinkIn)

    def draft(self) -> Draft:
        """What it says, once all of it agrees; 422 naming the field otherwise."""
        self._check_consistency()
        return Draft(
            slug=self.slug,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            destination=self.destination,
            budget=self.budget.money(),
            terms=self.terms.terms(),
            attribution=self.attribution.policy(),
            link=self.link.options(),
        )

    def _check_consistency(self) -> None:
        for name in ("minimum_deposit", "referrer_reward", "referee_reward"):
            money: MoneyIn | None = getattr(self.terms, name)
            if money is not None and money.currency != self.budget.currency:
                raise invalid_field(f"terms.{name}.currency", "This differs from budget.currency")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise invalid_field("ends_at", "This is not after starts_at")


class Reasoned(RequestBody):
    """Why somebody does it, for the audit."""

    reason: Text320 = NO_REASON


class FundingIn(Reasoned):
    """Money for the budget, once per reference."""

    amount: PositiveMoneyIn
    reference: Line


class TermsOut(ResponseBody):
    signup_window: timedelta
    deposit_window: timedelta
    minimum_deposit: MoneyOut
    hold_period: timedelta
    review_period: timedelta
    chargeback_window: timedelta
    lateness_grace: timedelta
    referrer_reward: MoneyOut
    referee_reward: MoneyOut | None


class StepOut(ResponseBody):
    methods: list[Method]
    touch: Pick
    window: timedelta | None


class PolicyOut(ResponseBody):
    order: list[StepOut]
    claim_grace: timedelta
    match_window: timedelta


class LinkOut(ResponseBody):
    opens: LinkOpens
    no_inducement_in: list[str]


class CampaignOut(ResponseBody):
    slug: str
    name: str
    status: CampaignStatus
    version: int
    starts_at: datetime
    ends_at: datetime | None
    destination: str
    budget: MoneyOut
    available_budget: MoneyOut
    terms: TermsOut
    attribution: PolicyOut
    link: LinkOut
    created_at: datetime
