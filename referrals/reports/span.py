"""The time and the campaign that a report is about, and the amounts that it shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from db.engine import ReadSession
from domain.intake.facts import MAX_TIME, MIN_TIME

# A version of before the options has none: its days are those of UTC.
_CAMPAIGN_ZONE: Final = text("""
    select coalesce(campaign_versions.options ->> 'time_zone', 'UTC') as zone
      from campaigns
      left join campaign_versions on campaign_versions.campaign_id = campaigns.id
       and campaign_versions.version = campaigns.version
     where campaigns.slug = :campaign
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time of a report, from `since` up to and without `until`, and its campaign, if any."""

    since: datetime = MIN_TIME
    until: datetime = MAX_TIME
    campaign: str | None = None
    zone: str = "UTC"
    """IANA name of the zone whose days and weeks count."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Values of the parameters of the reports' statements."""
        return {
            "since": self.since.astimezone(ZoneInfo("UTC")),
            "until": self.until.astimezone(ZoneInfo("UTC")),
            "campaign": self.campaign,
        }


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of movements in minor units, negative where more was taken back than given."""

    minor: int
    currency: str


async def find_zone(session: ReadSession, campaign: str) -> str | None:
    """Return the time zone of a campaign, or None where there is no such campaign."""
    zone: str | None = await session.scalar(_CAMPAIGN_ZONE, {"campaign": campaign})
    return zone
