"""Versions of campaigns: the condition of the current one, and the JSON of its columns."""

from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import and_

from db.tables import Campaign, CampaignVersion
from domain.attribution.policy import DEFAULT_POLICY, Policy
from domain.campaigns.terms import LinkOptions, Terms

IS_CURRENT_VERSION: Final = and_(
    CampaignVersion.campaign_id == Campaign.id, CampaignVersion.version == Campaign.version
)

_TERMS: Final = TypeAdapter(Terms)
_POLICY: Final = TypeAdapter(Policy)
_LINK: Final = TypeAdapter(LinkOptions)


def terms_json(terms: Terms) -> dict[str, Any]:
    """Return terms as they are stored, with ISO 8601 durations."""
    stored: dict[str, Any] = _TERMS.dump_python(terms, mode="json")
    return stored


def terms_from(stored: dict[str, Any]) -> Terms:
    return _TERMS.validate_python(stored)


def policy_json(policy: Policy) -> dict[str, Any]:
    stored: dict[str, Any] = _POLICY.dump_python(policy, mode="json")
    return stored


def policy_from(stored: dict[str, Any]) -> Policy:
    """Return a stored policy; an empty one is that of a campaign that states none."""
    return _POLICY.validate_python(stored) if stored else DEFAULT_POLICY


def link_json(link: LinkOptions) -> dict[str, Any]:
    stored: dict[str, Any] = _LINK.dump_python(link, mode="json")
    return stored


def link_from(stored: dict[str, Any]) -> LinkOptions:
    return _LINK.validate_python(stored)
