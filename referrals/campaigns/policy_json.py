"""How a campaign attributes and what its link shows, as JSON; empty where it says nothing."""

from typing import Any, Final

from pydantic import TypeAdapter

from domain.attribution.policy import DEFAULT_POLICY, Policy
from domain.campaigns.terms import LinkOptions

_POLICY: Final = TypeAdapter(Policy)
_LINK: Final = TypeAdapter(LinkOptions)


def policy_json(policy: Policy) -> dict[str, Any]:
    stored: dict[str, Any] = _POLICY.dump_python(policy, mode="json")
    return stored


def policy_from(stored: dict[str, Any]) -> Policy:
    return _POLICY.validate_python(stored) if stored else DEFAULT_POLICY


def link_json(link: LinkOptions) -> dict[str, Any]:
    stored: dict[str, Any] = _LINK.dump_python(link, mode="json")
    return stored


def link_from(stored: dict[str, Any]) -> LinkOptions:
    return _LINK.validate_python(stored)
