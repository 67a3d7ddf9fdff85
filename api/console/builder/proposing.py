"""A form in progress as the next version of a campaign, or what keeps it from being one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from api.console.builder.state import Node, text
from api.console.builder.texts import TextFaultError, read_amount
from api.console.builder.written import Written, write_terms, write_variants
from api.http.errors import Problem
from api.http.field_messages import field_message
from api.v1.schemas.campaigns import CampaignIn
from domain.campaigns.written import write_money
from referrals.campaigns.views import Draft

EDITED_TERMS: Final = (
    "signup_window", "deposit_window", "hold_period", "review_period", "chargeback_window",
    "minimum_deposit", "referrer_reward", "referee_reward",
)  # fmt: skip
EDITED_RULES: Final = ("rewards", "on", "turnover", "when", "limits")
"""Parts that the form has fields for; everything else of the base version stays."""
PLANNED: Final = ("slug", "starts_at", "destination", "time_zone")
"""Fields of a draft alone: from the publication on, they stay."""


MINUTE_LENGTH: Final = len("2026-03-01T12:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The version that a form says, or the messages beside its fields, one of the two."""

    draft: Draft | None
    errors: Mapping[str, str]


def read_proposal(state: Node, base: Draft) -> Proposal:
    """Return what the form makes of a version, checked by all that the API checks."""
    currency = base.budget.currency
    written = write_terms(state, currency)
    write_variants(state, written)
    body = _body(state, base, written)
    if written.errors:
        return Proposal(draft=None, errors=written.errors)
    try:
        draft = CampaignIn.model_validate(body).to_draft()
    except ValidationError as fault:
        for error in fault.errors():
            written.put_error(_path(error["loc"]), field_message(error, known=()))
    except Problem as refusal:
        for found in refusal.errors or ():
            written.put_error(found.field, found.message)
    else:
        return Proposal(draft=_on(base, draft), errors={})
    return Proposal(draft=None, errors=written.errors or {"": "Is not valid"})


def _body(state: Node, base: Draft, written: Written) -> dict[str, Any]:
    written.places |= {one: one for one in ("name", "ends_at", "budget", *PLANNED)}
    written.places |= {f"audience.{name}": name for name in ("allow", "deny")}
    budget: object = write_money(base.budget)
    if "budget" in state:
        try:
            budget = read_amount(text(state, "budget"), written.currency)
        except TextFaultError as fault:
            written.errors["budget"] = str(fault)
    several = base.terms.rules.currencies
    return {
        **_planned(state, base),
        "name": text(state, "name"),
        "ends_at": _time(state, "ends_at"),
        "budget": budget,
        "currencies": [
            write_money(money) for money in base.options.currencies if money.currency in several
        ],
        "terms": written.terms,
        "audience": {name: _segments(text(state, name)) for name in ("allow", "deny")},
        "variants": written.variants,
    }


def _planned(state: Node, base: Draft) -> dict[str, Any]:
    own: dict[str, str | None] = {name: text(state, name) for name in PLANNED if name in state}
    if "starts_at" in own:
        own["starts_at"] = _time(state, "starts_at")
    stays = {
        "slug": base.slug,
        "starts_at": base.starts_at.isoformat(),
        "destination": base.destination,
        "time_zone": base.options.time_zone,
    }
    return stays | own


def _time(state: Node, name: str) -> str | None:
    """Return a time as the API takes it; None for an empty field.

    Browsers leave out seconds that are 0.
    """
    typed = text(state, name)
    if not typed:
        return None
    return f"{typed}:00Z" if len(typed) == MINUTE_LENGTH else f"{typed}Z"


def _segments(typed: str) -> list[str]:
    return [one.strip() for one in typed.split(",") if one.strip()]


def _on(base: Draft, written: Draft) -> Draft:
    """Return the base version with what the form has fields for."""
    rules = {name: getattr(written.terms.rules, name) for name in EDITED_RULES}
    terms = {name: getattr(written.terms, name) for name in EDITED_TERMS}
    return replace(
        base,
        slug=written.slug,
        name=written.name,
        starts_at=written.starts_at,
        destination=written.destination,
        ends_at=written.ends_at,
        budget=written.budget,
        variants=written.variants,
        options=replace(
            base.options,
            audience=written.options.audience,
            time_zone=written.options.time_zone,
        ),
        terms=replace(base.terms, **terms, rules=replace(base.terms.rules, **rules)),
    )


def _path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")
