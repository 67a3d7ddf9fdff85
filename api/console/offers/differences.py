"""Differences between two versions of a campaign, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.formats import NOTHING, show_money, show_time
from api.console.offers.words import (
    CONDITIONS,
    limit_in_words,
    qualifies_in_words,
    rewards_in_words,
    variant_in_words,
)
from domain.campaigns.audience import Audience
from domain.campaigns.helplines import ELSEWHERE
from domain.campaigns.terms import LinkOptions, Terms
from referrals.campaigns.views import Draft
from referrals.localisation.formats import format_duration

_SAID: Final = (
    "terms.rewards", "terms.qualifies.", "terms.when", "terms.limits",
    "terms.referrer_reward", "terms.referee_reward", "terms.minimum_deposit.",
    "terms.signup_window", "terms.deposit_window", "terms.hold_period", "terms.review_period",
    "terms.chargeback_window", "terms.requires", "budget.", "starts_at", "ends_at", "destination",
    "name", "slug", "variants.", "audience.", "currencies", "link.helplines", "link.terms_texts",
)  # fmt: skip
"""Paths of fields that `promises_of` has words for; the others are shown by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    field: str
    before: str
    after: str


def differences(before: Draft | None, after: Draft) -> Sequence[Difference]:
    """Return what differs, in the order in which a version is shown; everything for the first."""
    old, new = (dict(_said(one)) if one else {} for one in (before, after))
    return [
        Difference(field=field, before=old.get(field, NOTHING), after=new.get(field, NOTHING))
        for field in dict.fromkeys((*old, *new))
        if old.get(field) != new.get(field)
    ]


def promises_of(terms: Terms) -> Mapping[str, str]:
    """Return the times of a promise, by what they are called."""
    return {
        "Signup within": format_duration(terms.signup_window),
        "Deposit within": format_duration(terms.deposit_window),
        "Held for": format_duration(terms.hold_period),
        "Review within": format_duration(terms.review_period),
        "Chargebacks for": format_duration(terms.chargeback_window),
    }


def audience_in_words(audience: Audience) -> Mapping[str, str]:
    """Return the segments, by what they are called; empty for every player."""
    lists = {"Only for segments": audience.allow, "Not for segments": audience.deny}
    return {name: ", ".join(segments) for name, segments in lists.items() if segments}


def _said(draft: Draft) -> Iterator[tuple[str, str]]:
    terms = draft.terms
    yield "Name", draft.name
    yield "Begins", show_time(draft.starts_at)
    yield "Ends", show_time(draft.ends_at)
    yield "Leads to", draft.destination
    yield "Budget", show_money(draft.budget)
    if draft.options.currencies:
        yield "Further budgets", ", ".join(map(show_money, draft.options.currencies))
    yield from ((side, str(words)) for side, words in rewards_in_words(terms))
    yield "Qualifies", "; ".join(map(str, qualifies_in_words(terms)))
    for variant in draft.variants:
        yield f"Variant {variant.name}", variant_in_words(terms, variant)
    if terms.rules.when:
        yield "Only if", str(CONDITIONS.tree(terms.rules.when))
    for number, limit in enumerate(terms.rules.limits, start=1):
        yield f"Limit {number}", limit_in_words(limit)
    yield from audience_in_words(draft.options.audience).items()
    yield from _link_in_words(draft.link)
    if terms.requires:
        yield "Reviewed without", ", ".join(terms.requires)
    yield from promises_of(terms).items()
    for field, value in draft.fields().items():
        if not field.startswith(_SAID):
            yield field.replace(".", " ").replace("_", " ").capitalize(), _text(value)


def _link_in_words(link: LinkOptions) -> Iterator[tuple[str, str]]:
    for one in link.helplines:
        page = f", {one.url}" if one.url else ""
        yield f"Helpline{_in_place(one.jurisdiction)}", f"{one.text} {one.phone}{page}"
    for text in link.terms_texts:
        yield f"Full terms{_in_place(text.jurisdiction)}", f"{text.version}, {text.url}"


def _in_place(jurisdiction: str) -> str:
    return " anywhere else" if jurisdiction == ELSEWHERE else f" in {jurisdiction}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or NOTHING
    if isinstance(value, dict):
        return " ".join(f"{name} {_text(one)}" for name, one in value.items())
    return NOTHING if value is None else str(value)
