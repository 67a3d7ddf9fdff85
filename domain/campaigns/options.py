"""Options of a campaign beside its terms: its zone, its priority and its further budgets."""

from dataclasses import dataclass

from domain.campaigns.audience import EVERYBODY, Audience
from domain.campaigns.default_offer import PRIORITY, TIME_ZONE
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOptions:
    """Part of each version, so that a referral's promise names its zone as it was."""

    time_zone: str = TIME_ZONE
    """IANA name of the zone in which the campaign's days, weeks and months begin."""
    priority: int = PRIORITY
    """Rank among several campaigns that apply to a signup; the largest goes first."""
    currencies: tuple[Money, ...] = ()
    """Budgets in further currencies, beside the first."""
    expected_rewards: int | None = None
    """Number of referrals that are expected to be rewarded, for the cost's check."""
    audience: Audience = EVERYBODY


DEFAULT_OPTIONS = CampaignOptions()
