"""Kinds of values that link players, and how SQL reads the values of a stored fact."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from domain.fraud.links import HARD_KINDS, STRONG_PLATFORMS, UNCAPPED_KINDS, LinkKind
from domain.intake.facts import FACT_TYPES

JOINING_KINDS: Final = HARD_KINDS | {LinkKind.DEVICE_ID}
"""Kinds whose values can join players into a cluster."""

KINDS: Final = [kind.value for kind in LinkKind]
WRITTEN_KINDS: Final = [*KINDS, "email_domain"]
"""Kinds that are written down; a mailbox's domain is for lists, and links nobody."""
HARD: Final = sorted(kind.value for kind in HARD_KINDS)
JOINING: Final = sorted(kind.value for kind in JOINING_KINDS)
UNCAPPED: Final = sorted(kind.value for kind in UNCAPPED_KINDS)
STRONG: Final = sorted(STRONG_PLATFORMS)
CARRYING_FACTS: Final = frozenset(
    kind
    for kind, shape in FACT_TYPES.items()
    if {field.name for field in fields(shape)} & set(LinkKind)
)
"""Kinds of facts that may hold such values."""

_IS_SAID: Final = "not coalesce(facts.matching -> 'unsaid', '[]') ? key"
"""Condition of a field whose value is not a placeholder."""


def sql_array(words: Iterable[str]) -> str:
    """Return an array of words of ours as SQL: the plan of a statement depends on how many."""
    return f"array[{', '.join(map(repr, words))}]"


def earlier_values(kinds: str) -> str:
    """Return SQL of the hashes of one row of `facts` under the keys that were newest before.

    Each has its kind, of `kinds`, an SQL array, and the newest hash.
    """
    return f"""
        select key as kind, hashes.earlier, hashes.value
        from jsonb_each(facts.matching -> 'earlier') as named
        cross join lateral jsonb_each_text(named.value) as hashes (earlier, value)
        where key = any({kinds}) and {_IS_SAID}
    """  # noqa: S608 - made of constants of ours


def said_values(kinds: str) -> str:
    """Return SQL of the kinds and values of one row of `facts`, of `kinds`, an SQL array.

    They are those that today's normalisation made, and those of the body, by which players of
    earlier releases are found; none of a placeholder, and no empty one, as signals once brought.
    Of phones the body's are left out, since the same national number is another person's in
    another country.
    """
    return f"""
        select key as kind, value from jsonb_each_text(facts.body)
        where key = any({kinds}) and value <> '' and {_IS_SAID}
          and not (key = 'phone' and coalesce(facts.matching, '{{}}') ? 'phone')
        union
        select key, value from jsonb_each_text(facts.matching) where key = any({kinds})
        union
        select 'email_domain', value
        from jsonb_array_elements_text(facts.matching -> 'email_domains_above') as value
        where 'email_domain' = any({kinds})
    """  # noqa: S608 - made of constants of ours


EARLIER_VALUES: Final = earlier_values(":kinds")
SAID_VALUES: Final = said_values(":kinds")
