"""Versions of campaigns: the condition of the current one, and the JSON of its columns."""

from dataclasses import replace
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import and_

from db.tables import Campaign, CampaignVersion
from domain.attribution.policy import DEFAULT_POLICY, Policy
from domain.campaigns.options import DEFAULT_OPTIONS, CampaignOptions
from domain.campaigns.rules import NO_RULES
from domain.campaigns.rules_json import parse_rules, write_rules
from domain.campaigns.terms import LinkOptions, Terms

IS_CURRENT_VERSION: Final = and_(
    CampaignVersion.campaign_id == Campaign.id, CampaignVersion.version == Campaign.version
)

_TERMS: Final = TypeAdapter(Terms)
_POLICY: Final = TypeAdapter(Policy)
_LINK: Final = TypeAdapter(LinkOptions)
_OPTIONS: Final = TypeAdapter(CampaignOptions)


REMINDERS_SCHEMA: Final = 2
"""Number of terms with reminders or required fields; those without a number are of the first."""
RULES_SCHEMA: Final = 3
"""Number of terms with rules: computed rewards, other qualifying actions, conditions, limits."""
_SCHEMA: Final = "schema"
_NESTED: Final = "since_schema_2"
_RULES: Final = "rules"
# Release 0.2 ignores fields that it does not know: it would expire a referral at its reminder, and
# pay without the required evidence.
# It requires this one: where it is moved, that release refuses to act and leaves it to others.
_REQUIRED_BY_0_2: Final = "signup_window"


def terms_json(terms: Terms) -> dict[str, Any]:
    """Return terms as they are stored, with ISO 8601 durations and the number of their schema."""
    stored: dict[str, Any] = _TERMS.dump_python(terms, mode="json")
    later = {name: stored.pop(name) for name in ("reminders", "requires")}
    del stored[_RULES]
    has_rules = terms.rules != NO_RULES
    if not has_rules and not any(later.values()):
        return stored
    nested = {_REQUIRED_BY_0_2: stored.pop(_REQUIRED_BY_0_2), **later}
    if terms.rules.rewards:
        # The database's guard of promises compares a reward with such a key, where there is one.
        nested |= {name: stored.pop(name) for name in ("referrer_reward", "referee_reward")}
    if not has_rules:
        return {_SCHEMA: REMINDERS_SCHEMA, **stored, _NESTED: nested}
    return {_SCHEMA: RULES_SCHEMA, **stored, _NESTED: nested, _RULES: write_rules(terms.rules)}


def terms_from(stored: dict[str, Any]) -> Terms:
    """Return stored terms; raise ValueError for those of a release after this one."""
    schema = stored.get(_SCHEMA, 1)
    if schema not in {1, REMINDERS_SCHEMA, RULES_SCHEMA}:
        raise ValueError(f"terms of schema {schema} are of a later release")
    plain = {name: value for name, value in stored.items() if name not in {_SCHEMA, _RULES}}
    terms = _TERMS.validate_python({**plain, **stored.get(_NESTED, {})})
    if schema != RULES_SCHEMA:
        return terms
    currency = terms.minimum_deposit.currency
    return replace(terms, rules=parse_rules(stored[_RULES], currency=currency))


def has_reminders(stored: dict[str, Any]) -> bool:
    """Return whether stored terms have reminders; those of a later release are not looked into."""
    is_known = stored.get(_SCHEMA, 1) in {REMINDERS_SCHEMA, RULES_SCHEMA}
    return bool(is_known and stored[_NESTED].get("reminders"))


def has_currencies(stored: dict[str, Any]) -> bool:
    """Return whether stored terms pay in several currencies."""
    return bool(stored.get(_SCHEMA) == RULES_SCHEMA and stored[_RULES].get("currencies"))


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


def options_json(options: CampaignOptions) -> dict[str, Any]:
    stored: dict[str, Any] = _OPTIONS.dump_python(options, mode="json")
    return stored


def options_from(stored: dict[str, Any]) -> CampaignOptions:
    """Return stored options; those of a version of an earlier release are empty."""
    return _OPTIONS.validate_python(stored) if stored else DEFAULT_OPTIONS
