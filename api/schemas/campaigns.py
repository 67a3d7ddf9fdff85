"""Campaigns: what people draft, and what they are shown."""

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from api.errors import invalid
from api.schemas.fields import (
    Duration,
    Line,
    MoneyIn,
    MoneyOut,
    Phrase,
    PlannedTime,
    PositiveDuration,
    PositiveMoneyIn,
    Shown,
    Slug,
    Strict,
)
from db.campaign_views import Draft
from domain.campaign import CampaignStatus, Terms

NO_REASON: Final = "no reason given"
PLAIN: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII but the backslash, which browsers take for a slash."""


def _destination(address: str) -> str:
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


Destination = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_destination)]


class TermsIn(Strict):
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


class CampaignIn(Strict):
    """All of a campaign; all its money is in one currency."""

    slug: Slug
    name: Phrase
    starts_at: PlannedTime
    ends_at: PlannedTime | None = None
    destination: Destination
    budget: MoneyIn
    terms: TermsIn

    def draft(self) -> Draft:
        """What it says, once all of it agrees; 422 naming the field otherwise."""
        self._agree()
        return Draft(
            slug=self.slug,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            destination=self.destination,
            budget=self.budget.money(),
            terms=self.terms.terms(),
        )

    def _agree(self) -> None:
        for name in ("minimum_deposit", "referrer_reward", "referee_reward"):
            money: MoneyIn | None = getattr(self.terms, name)
            if money is not None and money.currency != self.budget.currency:
                raise invalid(f"terms.{name}.currency", "This differs from budget.currency")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise invalid("ends_at", "This is not after starts_at")


class Reasoned(Strict):
    """Why somebody does it, for the audit."""

    reason: Phrase = NO_REASON


class FundingIn(Reasoned):
    """Money for the budget, once per reference."""

    amount: PositiveMoneyIn
    reference: Line


class TermsOut(Shown):
    signup_window: timedelta
    deposit_window: timedelta
    minimum_deposit: MoneyOut
    hold_period: timedelta
    review_period: timedelta
    chargeback_window: timedelta
    lateness_grace: timedelta
    referrer_reward: MoneyOut
    referee_reward: MoneyOut | None


class CampaignOut(Shown):
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
    created_at: datetime
