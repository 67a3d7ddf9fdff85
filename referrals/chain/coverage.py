"""Coverage of the chain: of each relation, the columns that never change and the personal ones.

A column that is null has no part in a leaf, so that a column added later changes none, and a
release links nothing under a later schema. Rows that change have the columns of theirs that do not;
a change that is made once is a relation of its own.
"""

# ruff: noqa: S608 - the queries are built from our own tables alone

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from db.tables import Table
from domain.privacy import ERASED, PERSONAL_KEYS

SEPARATOR: Final = "/"
"""Between the parts of a key: no part but the last can contain it."""


_KEYS: Final = ", ".join(f"'{key}'" for key in PERSONAL_KEYS)
_PARSED: Final = frozenset({int, UUID})
"""Types of keys that not every text is of."""
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Coverage:
    """Rows of one relation of the chain."""

    name: str
    table: str
    columns: tuple[str, ...] = ()
    """All but the personal ones where it is empty."""
    personal: tuple[str, ...] = ()
    """Columns whose values are in the chain as a salted commitment alone."""
    subject: str = "null"
    """SQL of the player whose salt it is."""
    condition: str = "true"
    let_go: str = "false"
    """SQL of whether retention let go of the personal values."""

    @property
    def _key_columns(self) -> list[str]:
        return [column.name for column in Table.metadata.tables[self.table].primary_key.columns]

    @property
    def key(self) -> str:
        """SQL of a row's key."""
        parts = (f"cast(t.{column} as text)" for column in self._key_columns)
        return f" || '{SEPARATOR}' || ".join(parts)

    @cached_property
    def public_names(self) -> tuple[str, ...]:
        names = [column.name for column in Table.metadata.tables[self.table].columns]
        return self.columns or tuple(name for name in names if name not in self.personal)

    @cached_property
    def public(self) -> tuple[str, ...]:
        """SQL of the public values, as text, in the order of `public_names`."""
        return tuple(_PUBLIC_SQL.get((self.table, name), _text(name)) for name in self.public_names)

    @cached_property
    def secret(self) -> tuple[str, ...]:
        """SQL of the personal values, as text."""
        return tuple(_PERSONAL_SQL.get((self.table, name), _text(name)) for name in self.personal)

    @cached_property
    def rows_by_key(self) -> TextClause:
        """The query of rows by their keys, with the parts of keys as parallel arrays."""
        columns = [Table.metadata.tables[self.table].c[name] for name in self._key_columns]
        names = [f"part_{place}" for place in range(len(columns))]
        cast_parts = ", ".join(
            f"cast({name} as {column.type.compile(_DIALECT)})"
            for name, column in zip(names, columns, strict=True)
        )
        arrays = ", ".join(f"cast(:{name} as text[])" for name in names)
        keys = ", ".join(f"t.{column}" for column in self._key_columns)
        return text(
            f"select {self.key} as key, {self.subject} as subject,"
            f" {_array(self.public)} as public, {_array(self.secret)} as personal,"
            f" {self.let_go} as is_let_go"
            f" from {self.table} t where ({keys}) in"
            f" (select {cast_parts} from unnest({arrays}) as u({', '.join(names)}))"
            f" and {self.condition}"
        )

    @cached_property
    def unlinked(self) -> TextClause:
        """The query of keys that are neither in the chain nor on their way to it."""
        return text(
            f"select {self.key} from {self.table} t where {self.condition}"
            f" and not exists (select from chain_links l"
            f" where l.relation = '{self.name}' and l.row_key = {self.key})"
            f" and not exists (select from unlinked_rows u"
            f" where u.relation = '{self.name}' and u.row_key = {self.key}) limit :limit"
        )

    def fits(self, key: str) -> bool:
        """Return whether a row can have this key; a forged link's may be anything."""
        parts = key.split(SEPARATOR, len(self._key_columns) - 1)
        types = [Table.metadata.tables[self.table].c[name].type for name in self._key_columns]
        try:
            return all(
                kind.python_type not in _PARSED or _is_written_by_postgres(part, kind)
                for part, kind in zip(parts, types, strict=True)
            )
        except ValueError:
            return False

    def parts(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the parameters of `rows_by_key`."""
        last = len(self._key_columns) - 1
        split = [key.split(SEPARATOR, last) for key in keys]
        return {f"part_{place}": [parts[place] for parts in split] for place in range(last + 1)}


def _is_written_by_postgres(part: str, kind: TypeEngine[Any]) -> bool:
    """Return whether a part is a number or a UUID as Postgres writes it, and can read it."""
    parsed = kind.python_type(part)
    bits = 64 if isinstance(kind, BigInteger) else 32
    is_in_range = not isinstance(parsed, int) or abs(parsed) < 2 ** (bits - 1)
    return is_in_range and str(parsed) == part


def _text(column: str) -> str:
    return f"cast(t.{column} as text)"


def _array(expressions: Sequence[str]) -> str:
    return f"cast(array[{', '.join(expressions)}] as text[])"


_PUBLIC_SQL: Final = {("facts", "body"): f"cast(t.body - array[{_KEYS}] as text)"}
_PERSONAL_SQL: Final = {
    ("facts", "body"): (
        "(select cast(jsonb_object_agg(b.key, b.value) as text) from jsonb_each(t.body) b"
        f" where b.key in ({_KEYS}))"
    ),
    ("facts", "fingerprint"): f"nullif(t.fingerprint, '{ERASED}')",
    ("touches", "signals"): "nullif(cast(t.signals as text), '{}')",
    ("touches", "evidence"): "nullif(cast(t.evidence as text), '{}')",
    ("attributions", "claims"): "nullif(cast(t.claims as text), '[]')",
}
"""Null is what an erasure leaves."""

COVERED: Final = {
    coverage.name: coverage
    for coverage in (
        Coverage(
            "facts",
            "facts",
            columns=(
                "kind",
                "event_id",
                "player_id",
                "occurred_at",
                "body",
                "door",
                "reported_by",
                "request_id",
                "heard_at",
            ),
            personal=("body", "matching", "fingerprint"),
            subject="t.player_id",
            let_go="t.let_go_at is not null",
        ),
        Coverage("transfers", "transfers"),
        Coverage("entries", "entries"),
        Coverage("assessments", "assessments"),
        Coverage("approvals", "approvals"),
        Coverage("audit", "audit"),
        Coverage("campaign_versions", "campaign_versions"),
        Coverage(
            "api_keys",
            "api_keys",
            columns=(
                *("id", "owner", "scopes", "key_hash", "source", "created_at"),
                *("expires_at", "replaces", "replaces_at"),
            ),
        ),
        Coverage(
            "key_revocations",
            "api_keys",
            columns=("id", "revoked_at"),
            condition="t.revoked_at is not null",
        ),
        Coverage("timeline", "timeline"),
        Coverage(
            "touches",
            "touches",
            personal=("visitor", "ip", "user_agent", "device_id", "signals", "evidence"),
            subject="coalesce(t.player_id, 'touches/' || t.id)",
        ),
        Coverage(
            "attributions",
            "attributions",
            personal=("claims",),
            subject="coalesce(t.player_id, 'attributions/' || t.signup_event_id)",
        ),
        Coverage("codes", "codes", columns=("code", "player_id", "campaign_id", "created_at")),
        Coverage("qualifications", "qualifications"),
        Coverage("qualification_facts", "qualification_facts"),
        Coverage(
            "referrals",
            "referrals",
            columns=(
                "id",
                "campaign_id",
                "campaign_version_id",
                "code",
                "referrer_id",
                "terms",
                "invited_at",
                "created_at",
                "variant",
            ),
        ),
        Coverage(
            "rewards",
            "rewards",
            columns=(
                "id",
                "referral_id",
                "reward_type",
                "kind",
                "player_id",
                "currency",
                "campaign_version_id",
                "created_at",
            ),
        ),
        Coverage(
            "review_decisions",
            "reviews",
            columns=("id", "referral_id", "decision", "reviewer", "reason", "decided_at"),
            condition="t.decided_at is not null",
        ),
        Coverage(
            "case_decisions",
            "cases",
            columns=("id", "decision", "decided_by", "reason", "decided_at"),
            condition="t.decided_at is not null",
        ),
        Coverage("case_notes", "case_notes"),
        Coverage(
            "rebind_decisions",
            "rebinds",
            columns=(
                *("id", "player_id", "code", "proposed_by", "status"),
                *("decided_by", "decided_at", "decision_reason"),
            ),
            condition="t.decided_at is not null",
        ),
        Coverage("campaign_publications", "campaign_publications"),
        Coverage("switches", "switches"),
        Coverage("rule_set_switches", "rule_set_switches"),
        Coverage(
            "payment_orders",
            "payment_orders",
            columns=(
                *("id", "player_id", "referral_id", "reward_id", "kind", "cycle", "attempt"),
                *("reason", "gross_minor", "currency", "review_id", "created_at"),
            ),
        ),
        Coverage(
            "payments",
            "payment_orders",
            columns=("id", "amount_minor", "posted_minor"),
            condition="t.status = 'posted'",
        ),
        Coverage("rule_sets", "rule_sets"),
        Coverage("rate_tables", "rate_tables"),
        Coverage("clawbacks", "clawbacks"),
        Coverage("outbox", "outbox"),
        Coverage("erasures", "erasures"),
        Coverage("let_go", "let_go"),
    )
}
"""By the name of each relation."""
