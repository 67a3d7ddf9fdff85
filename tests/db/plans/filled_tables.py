"""Tables filled with rows of which only the given columns matter."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from db.engine import Session

VALUES: Final = {
    "uuid": "gen_random_uuid()",
    "text": "'t' || n",
    "character varying": "'t' || n",
    "timestamp with time zone": "now() - interval '1 hour'",
    "integer": "n",
    "bigint": "n",
    "boolean": "false",
    "jsonb": "'{}'::jsonb",
    "ARRAY": "'{}'",
    "bytea": "'\\x00'::bytea",
}
"""A value of each type for row `n`."""


async def insert(
    session: Session, table: str, rows: int, given: Mapping[str, str], *, first: int = 0
) -> None:
    """Insert rows without their guards; columns that are not given have a value of their type."""
    checks = await session.scalars(
        text("""
            select quote_ident(conname) from pg_constraint
             where conrelid = cast(:table as regclass) and contype = 'c'
        """),
        {"table": table},
    )
    for check in checks:
        await session.execute(text(f"alter table {table} drop constraint {check}"))
    columns = await session.execute(
        text("""
            select column_name, data_type from information_schema.columns
             where table_schema = 'public' and table_name = :table
               and ((is_nullable = 'NO' and column_default is null and is_identity = 'NO')
                    or column_name = any(:given))
        """),
        {"table": table, "given": list(given)},
    )
    values = {name: given.get(name, VALUES[kind]) for name, kind in columns}
    await session.execute(
        text(
            f"insert into {table} ({', '.join(values)}) "  # noqa: S608 - names of ours
            f"select {', '.join(values.values())} "
            f"from generate_series({first}, {first + rows - 1}) as n"
        )
    )
