"""Campaigns: status, schedule, link options, and the terms promised to each referral."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.campaigns.helplines import Helpline
from domain.campaigns.rules import NO_RULES, Rules
from domain.campaigns.terms_texts import TermsText
from domain.money import Money


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminders:
    """Times of the reminders of what is pending; one that is None sends no reminder."""

    signup_after: timedelta | None = None
    """From the invitation, while there is no signup."""
    deposit_after: timedelta | None = None
    """From the signup, while no deposit qualifies."""
    closing_before: timedelta | None = None
    """Before the end of either window."""
    not_in: tuple[str, ...] = ()
    """ISO 3166 jurisdictions of either player's signup in which nobody is reminded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A campaign's promise, copied into each referral so that it cannot change later."""

    signup_window: timedelta
    deposit_window: timedelta
    minimum_deposit: Money
    hold_period: timedelta
    review_period: timedelta
    chargeback_window: timedelta
    lateness_grace: timedelta
    referrer_reward: Money
    referee_reward: Money | None = None
    reminders: Reminders | None = None
    requires: tuple[str, ...] = ()
    """Fields of the referee's events without which a person has to review the reward."""
    rules: Rules = NO_RULES


class LinkOpens(StrEnum):
    """Page that a campaign's link opens."""

    DESTINATION = "destination"
    LANDING = "landing"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """Options of a campaign's link; `no_inducement_in` holds ISO 3166 jurisdictions."""

    opens: LinkOpens = LinkOpens.DESTINATION
    no_inducement_in: tuple[str, ...] = ()
    logo_url: str | None = None
    """Image that the pages show in place of the site's name."""
    terms_url: str | None = None
    """Page with the full terms of the offer."""
    helplines: tuple[Helpline, ...] = ()
    terms_texts: tuple[TermsText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Dates and status that decide when a campaign takes new invitations."""

    status: CampaignStatus
    starts_at: datetime
    ends_at: datetime | None
    closed_since: datetime | None = None
    """Time at which a person paused or ended it; until then it was open."""

    def is_open(self, at: datetime) -> bool:
        """Return whether it was open at a time, which may have passed: facts can arrive late."""
        within = self.starts_at <= at and (self.ends_at is None or at < self.ends_at)
        return within and (self.status is CampaignStatus.PUBLISHED or self._was_open(at))

    def _was_open(self, at: datetime) -> bool:
        return self.closed_since is not None and at < self.closed_since

    def begins_after(self, at: datetime) -> bool:
        return self.status is CampaignStatus.PUBLISHED and at < self.starts_at

    def is_paused(self, at: datetime) -> bool:
        return self.status is CampaignStatus.PAUSED and not self.has_ended(at)

    def has_ended(self, at: datetime) -> bool:
        past = self.ends_at is not None and at >= self.ends_at
        return past or self.status is CampaignStatus.ENDED
