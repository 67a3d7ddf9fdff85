"""Plans of Postgres: statements prepared as the driver prepares them, and the nodes of a plan."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.engine import Session

GENERIC_FROM: Final = 6
"""Executions after which Postgres goes on with a plan that it made for any parameters."""


async def prepare(
    session: Session, statement: TextClause, given: Mapping[str, tuple[str, str]]
) -> TextClause:
    """Prepare a statement, and return the one that executes it.

    `given` has the type and the value of each parameter, as SQL.
    """
    compiled = statement.compile(dialect=PGDialect_asyncpg())  # type: ignore[no-untyped-call]
    names = compiled.positiontup or ()
    types, values = (
        f"({', '.join(given[name][part] for name in names)})" if names else "" for part in (0, 1)
    )
    await session.execute(_plain(f"prepare asked {types} as {compiled}"))
    return _plain(f"execute asked {values}")


async def explain(session: Session, executed: TextClause, *, analyze: bool) -> dict[str, Any]:
    """Return the root of a statement's plan."""
    options = "format json, analyze, buffers" if analyze else "format json"
    (found,) = await session.scalar(_plain(f"explain ({options}) {executed.text}"))
    root: dict[str, Any] = found["Plan"]
    return root


def _plain(sql: str) -> TextClause:
    """Return a statement that has no parameters of its own."""
    return text(sql.replace("\\:", ":").replace(":", r"\:"))


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan, the root first."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]
