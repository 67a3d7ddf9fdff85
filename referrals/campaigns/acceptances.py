"""Acceptances: the version of the terms that a player was shown and accepted, as it is stored."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import CampaignVersion
from domain.campaigns.terms import LinkOptions
from domain.campaigns.terms_texts import text_for
from referrals.campaigns.versions import link_from


def acceptance(
    link: LinkOptions, accepted: str, *, jurisdiction: str | None, at: datetime
) -> dict[str, Any]:
    """Return what is stored: the version accepted, and the one that the offer shows there."""
    shown = text_for(link.terms_texts, jurisdiction)
    return {
        "version": accepted,
        "shown": shown.version if shown else None,
        "jurisdiction": jurisdiction,
        "at": at.astimezone(UTC).isoformat(),
    }


async def link_of_version(session: ReadSession, version_id: UUID) -> LinkOptions:
    """Return the link's options of the version that a referral was promised."""
    query = select(CampaignVersion.link).where(CampaignVersion.id == version_id)
    return link_from((await session.scalars(query)).one())
