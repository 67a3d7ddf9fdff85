"""The versions of a campaign as people read them: who wrote and published each, what it changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select

from db.engine import ReadSession
from db.tables import Campaign, CampaignPublication, CampaignVersion
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns.views import Draft, draft_of

_DRAFT: Final = TypeAdapter(Draft)
_OPTIONS: Final = "options"


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
    before: dict[str, Any] = {}
    for version, publication in await session.execute(query):
        content = _flat(_stored(draft_of(campaign, version)))
        views.append(_view(campaign, version, publication, _changes(before, content)))
        if publication is not None or campaign.status is CampaignStatus.DRAFT or not before:
            before = content
    return views


def _view(
    campaign: Campaign,
    version: CampaignVersion,
    publication: CampaignPublication | None,
    changes: Sequence[Change],
) -> VersionView:
    return VersionView(
        version=version.version,
        status=_status(campaign, version.version, is_published=publication is not None),
        written_by=version.author,
        written_at=version.created_at,
        published_by=publication.published_by if publication else None,
        published_at=publication.published_at if publication else None,
        changes=changes,
    )


def _status(campaign: Campaign, version: int, *, is_published: bool) -> VersionStatus:
    if version == campaign.proposed_version:
        return VersionStatus.PROPOSED
    if version == campaign.version:
        is_draft = campaign.status is CampaignStatus.DRAFT or not is_published
        return VersionStatus.DRAFT if is_draft else VersionStatus.PUBLISHED
    return VersionStatus.RETIRED if is_published else VersionStatus.WITHDRAWN


def _stored(draft: Draft) -> dict[str, Any]:
    """Return a draft as its body has it: the options beside the other fields."""
    content: dict[str, Any] = _DRAFT.dump_python(draft, mode="json")
    options: dict[str, Any] = content.pop(_OPTIONS)
    return content | options


def _flat(content: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return the values of nested objects by their paths; a list is one value."""
    return dict(_leaves(content, path))


def _leaves(content: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    fields = dict.fromkeys((*before, *after))
    return [
        Change(field, before.get(field), after.get(field))
        for field in fields
        if before.get(field) != after.get(field)
    ]
