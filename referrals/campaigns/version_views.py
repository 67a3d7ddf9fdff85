"""The versions of a campaign as people read them: who wrote and published each, what it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import Campaign, CampaignPublication, CampaignVersion
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns.views import Draft, draft_of


class VersionStatus(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    RETIRED = "retired"
    """It was live."""
    WITHDRAWN = "withdrawn"
    """It was withdrawn or replaced before it was published."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that a version changes; None where there was, or is, no value."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """One version of a campaign's content."""

    version: int
    status: VersionStatus
    written_by: str
    written_at: datetime
    published_by: str | None
    published_at: datetime | None
    changes: Sequence[Change]
    draft: Draft
    """Its content."""
    compared_with: Draft | None
    """The content that was live when it was written; None for the first."""


async def list_versions(session: ReadSession, slug: str) -> Sequence[VersionView] | None:
    """Return a campaign's versions, oldest first, or None for an unknown campaign.

    Each is compared with the version that was live when it was written, the first with nothing.
    """
    campaign = await session.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        return None
    query = (
        select(CampaignVersion, CampaignPublication)
        .outerjoin(
            CampaignPublication,
            (CampaignPublication.campaign_id == CampaignVersion.campaign_id)
            & (CampaignPublication.version == CampaignVersion.version),
        )
        .where(CampaignVersion.campaign_id == campaign.id)
        .order_by(CampaignVersion.version)
    )
    views: list[VersionView] = []
    before: Draft | None = None
    for version, publication in await session.execute(query):
        draft = draft_of(campaign, version)
        views.append(_view(campaign, version, publication, draft=draft, before=before))
        if publication is not None or campaign.status is CampaignStatus.DRAFT or before is None:
            before = draft
    return views


def _view(
    campaign: Campaign,
    version: CampaignVersion,
    publication: CampaignPublication | None,
    *,
    draft: Draft,
    before: Draft | None,
) -> VersionView:
    return VersionView(
        version=version.version,
        status=_status(campaign, version.version, is_published=publication is not None),
        written_by=version.author,
        written_at=version.created_at,
        published_by=publication.published_by if publication else None,
        published_at=publication.published_at if publication else None,
        changes=changes_between(before.fields() if before else {}, draft.fields()),
        draft=draft,
        compared_with=before,
    )


def _status(campaign: Campaign, version: int, *, is_published: bool) -> VersionStatus:
    if version == campaign.proposed_version:
        return VersionStatus.PROPOSED
    if version == campaign.version:
        is_draft = campaign.status is CampaignStatus.DRAFT or not is_published
        return VersionStatus.DRAFT if is_draft else VersionStatus.PUBLISHED
    return VersionStatus.RETIRED if is_published else VersionStatus.WITHDRAWN


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return the fields that differ between two flat contents."""
    fields = dict.fromkeys((*before, *after))
    return [
        Change(field, before.get(field), after.get(field))
        for field in fields
        if before.get(field) != after.get(field)
    ]
