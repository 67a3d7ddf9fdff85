"""Invariants as queries: each selects the rows that break it, among all rows or those that changed.

A query names what it looks at as `$transfers(t.id)`, `$accounts(a.id)`, `$referrals(r.id)` or
`$players(r.referee_id)`: a whole run replaces that by `true`, an incremental one by a condition on
the ids that changed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

_SCOPE: Final = re.compile(r"\$(\w+)\(([\w.]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Ids of what was written since a time: the rows that an incremental run looks at."""

    since: datetime
    transfers: Sequence[UUID]
    accounts: Sequence[UUID]
    referrals: Sequence[UUID]
    players: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Rows that a check looks at, and the times that it compares with."""

    as_of: datetime
    """Deadlines that passed before it are over."""
    settled_before: datetime
    """A delivery acknowledged later than this may not have been acted on yet."""
    overdue_before: datetime
    """A deadline that passed before it is a failure, a later one only lag."""
    changes: Changes | None = None
    """Everything is looked at where it is None."""

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of queries, by name."""
        times = {
            "as_of": self.as_of,
            "settled_before": self.settled_before,
            "overdue_before": self.overdue_before,
        }
        if self.changes is None:
            return times
        return times | {
            "transfers": self.changes.transfers,
            "accounts": self.changes.accounts,
            "referrals": self.changes.referrals,
            "players": self.changes.players,
        }


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that must always hold; `breach_query` selects the ids of the rows that break it."""

    name: str
    sentence: str
    breach_query: str
    incremental_query: str | None = None
    """A cheaper query for what changed, where the other would read an account's whole history."""

    def query(self, scope: Scope) -> str:
        if scope.changes is None:
            return scoped(self.breach_query, scope)
        return scoped(self.incremental_query or self.breach_query, scope)


def scoped(query: str, scope: Scope) -> str:
    """Return a query limited to what changed, or with no limit in a whole run."""
    if scope.changes is None:
        return _SCOPE.sub("true", query)
    return _SCOPE.sub(r"\2 = any(:\1)", query)


def sql_list(words: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def is_settled(referral: str) -> str:
    """Return the condition that no fact about its money is on its way to a referral.

    `referral` is the alias of its table.
    """
    return f"""
        not exists (select from deliveries d
                     where d.referral_id = {referral}.id and d.kind <> 'invitation'
                       and (d.acknowledged_at is null or d.acknowledged_at > :settled_before))
        and not exists (select from inbox i
                         where i.player_id = {referral}.referee_id)
    """  # noqa: S608 - built from constants of this code only
