"""Variants of a version as they are stored, and the terms that an invitation promises by them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from domain.campaigns.terms import Terms
from domain.campaigns.variants import Variant, index_of, rewards_in, terms_of_variant
from referrals.campaigns.versions import terms_from, terms_json

Stored = list[dict[str, Any]] | None


class Promised(NamedTuple):
    """The variant of an invitation, None without any, and its terms as they are stored."""

    variant: str | None
    terms: dict[str, Any]


def variants_json(terms: Terms, variants: Sequence[Variant]) -> Stored:
    """Return variants as they are stored, each with all of its terms, or None without variants.

    A column that is null has no part in the hash chain, so that older versions keep their leaves.
    """
    return [
        {
            "name": variant.name,
            "weight": variant.weight,
            "terms": variant.promised and terms_json(terms_of_variant(terms, variant)),
        }
        for variant in variants
    ] or None


def variants_from(stored: Stored) -> tuple[Variant, ...]:
    """Return stored variants; raise ValueError for terms of a release after this one."""
    return tuple(
        Variant(
            name=one["name"],
            weight=one["weight"],
            promised=rewards_in(terms_from(one["terms"])) if one["terms"] else None,
        )
        for one in stored or ()
    )


def promised_to(
    terms: dict[str, Any],
    variants: Sequence[Mapping[str, Any]] | None,
    *,
    slug: str,
    referrer_id: str,
) -> Promised:
    """Return what a version, its terms and variants as they are stored, promises for a referrer."""
    if not variants:
        return Promised(None, terms)
    index = index_of([one["weight"] for one in variants], slug, referrer_id)
    if index is None:
        return Promised(None, terms)
    return Promised(variants[index]["name"], variants[index]["terms"] or terms)
