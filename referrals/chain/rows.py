"""Covered rows as the chain sees them: public values, and personal ones with their subject."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import text

from db.engine import ReadSession
from referrals.chain import canonical
from referrals.chain.coverage import COVERED, Coverage

_TEXT_FORMATS: Final = """
    select set_config('datestyle', 'ISO, MDY', true), set_config('intervalstyle', 'postgres', true),
           set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true),
           set_config('bytea_output', 'hex', true)
"""
_SALTS: Final = text("""
    select subject, salt from subject_salts where subject = any(cast(:subjects as varchar[]))
""")


class Key(NamedTuple):
    """A relation and the key of one of its rows."""

    relation: str
    row_key: str


class CoveredRow(NamedTuple):
    subject: str | None
    public: list[str | None]
    personal: list[str | None]
    is_let_go: bool

    @property
    def has_personal(self) -> bool:
        return any(value is not None for value in self.personal)


class Leaf(NamedTuple):
    leaf: bytes
    commitment: bytes | None


async def fix_formats(session: ReadSession) -> None:
    """Fix how the transaction writes values as text, whatever a role's settings are."""
    await session.execute(text(_TEXT_FORMATS))


async def load_rows(session: ReadSession, keys: Iterable[Key]) -> dict[Key, CoveredRow]:
    """Return the rows that exist, by their keys; relations that are not covered have none."""
    by_relation: dict[str, list[str]] = defaultdict(list)
    for relation, key in keys:
        if relation in COVERED and COVERED[relation].fits(key):
            by_relation[relation].append(key)
    found: dict[Key, CoveredRow] = {}
    for relation, row_keys in by_relation.items():
        coverage = COVERED[relation]
        rows = await session.execute(coverage.rows_by_key, coverage.parts(row_keys))
        for row in rows:
            found[Key(relation, row.key)] = CoveredRow(
                row.subject, row.public, row.personal, row.is_let_go
            )
    return found


async def load_salts(session: ReadSession, subjects: Collection[str]) -> dict[str, bytes]:
    rows = await session.execute(_SALTS, {"subjects": list(subjects)})
    return {row.subject: row.salt for row in rows}


def leaf_of(key: Key, row: CoveredRow, salts: Mapping[str, bytes]) -> Leaf:
    """Return a row's leaf. Raises LookupError when its subject's salt is not among `salts`."""
    commitment = _commitment(COVERED[key.relation], key, row, salts)
    return Leaf(leaf_with(key, row, commitment), commitment)


def leaf_with(key: Key, row: CoveredRow, commitment: bytes | None) -> bytes:
    """Return a row's leaf from a known commitment to its personal values."""
    names = COVERED[key.relation].public_names
    return canonical.leaf(key.relation, key.row_key, names, row.public, commitment)


def _commitment(
    coverage: Coverage, key: Key, row: CoveredRow, salts: Mapping[str, bytes]
) -> bytes | None:
    if not row.has_personal or row.subject is None:
        return None
    return canonical.commit(salts[row.subject], "/".join(key), coverage.personal, row.personal)
