"""Fields in which an event differs from the one that is stored under its id."""

from dataclasses import fields
from typing import Any

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import FactRow
from domain.intake.facts import kind_of
from referrals.intake.facts import Report, body_of


async def differing_fields(session: ReadSession, report: Report) -> list[str]:
    """Return the names of the fields that differ, in the event's order; never their values.

    Personal fields are compared by their hashes.
    """
    fact = report.fact
    query = select(FactRow.body).where(
        FactRow.kind == kind_of(fact), FactRow.event_id == fact.event_id
    )
    stored: dict[str, Any] | None = await session.scalar(query)
    if stored is None:
        return []
    body = body_of(fact)
    if report.code_hash is not None and stored.get("code") == report.code_hash:
        body["code"] = report.code_hash
    names = [field.name for field in fields(fact)]
    others = sorted((stored.keys() | body.keys()) - set(names))
    return [name for name in (*names, *others) if stored.get(name) != body.get(name)]
