"""Fields in which an event differs from the one that is stored under its id."""

from dataclasses import fields

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import FactRow
from domain.intake.facts import kind_of
from referrals.intake.canonical import body_of
from referrals.intake.content import Content
from referrals.intake.facts import Report


async def differing_fields(session: ReadSession, report: Report) -> list[str]:
    """Return the names of the fields that differ, in the event's order; never their values.

    Personal fields are compared by their hashes, of which `matching` may tell the earlier ones.
    """
    fact = report.fact
    query = select(FactRow.fingerprint, FactRow.body, FactRow.matching).where(
        FactRow.kind == kind_of(fact), FactRow.event_id == fact.event_id
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return []
    stored, body = Content(row.fingerprint, row.body, row.matching), body_of(fact)
    differing = Content("", body, report.matching).differing_fields(stored)
    if report.code_hash is not None:
        hashed = Content("", {**body, "code": report.code_hash}, report.matching)
        differing &= hashed.differing_fields(stored)
    names = [field.name for field in fields(fact)]
    others = sorted((stored.body.keys() | body.keys()) - set(names))
    return [name for name in (*names, *others) if name in differing]
