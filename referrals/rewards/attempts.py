"""Attempts: the qualifications of a referral, numbered, each with the facts it rests on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from db.engine import ReadSession, Session
from domain.campaigns.conditions.evaluation import write_judged
from domain.intake.facts import FactKind
from domain.rewards.qualification import Qualification

_LATEST: Final = text("""
    select id, attempt, created_at, array(
        select event_id from qualification_facts f where f.qualification_id = q.id order by event_id
    ) as event_ids
    from qualifications q where referral_id = :referral_id order by attempt desc limit 1
""")
_BEGIN: Final = text("""
    with begun as (
        insert into qualifications (id, referral_id, attempt, met_at, created_at, condition_trace)
        values (:id, :referral_id, :attempt, :met_at, :created_at, :condition_trace)
    )
    insert into qualification_facts (qualification_id, kind, event_id)
    select :id, :kind, unnest(cast(:event_ids as varchar[]))
""").bindparams(bindparam("condition_trace", type_=JSONB(none_as_null=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One qualification's way through holds and reviews."""

    number: int
    qualification_id: UUID
    fact_ids: frozenset[str]
    begun_at: datetime
    """The hold period runs from here."""

    def rests_on(self, fact_ids: Collection[str]) -> bool:
        return self.fact_ids == frozenset(fact_ids)


async def latest_attempt(session: ReadSession, referral_id: UUID) -> Attempt | None:
    row = (await session.execute(_LATEST, {"referral_id": referral_id})).one_or_none()
    if row is None:
        return None
    return Attempt(
        number=row.attempt,
        qualification_id=row.id,
        fact_ids=frozenset(row.event_ids),
        begun_at=row.created_at,
    )


async def attempt_after(
    latest: Attempt | None,
    session: Session,
    referral_id: UUID,
    qualification: Qualification,
    *,
    at: datetime,
) -> Attempt:
    """Return the latest attempt, or begin a new one if other facts qualify now."""
    if latest is not None and latest.rests_on(qualification.fact_ids):
        return latest
    number = latest.number + 1 if latest else 1
    return await begin_attempt(session, referral_id, number, qualification, at=at)


async def begin_attempt(
    session: Session, referral_id: UUID, number: int, qualification: Qualification, *, at: datetime
) -> Attempt:
    """Write an attempt with the facts it rests on; the caller holds the referral's lock."""
    id_ = uuid5(referral_id, f"qualification:{number}")
    values = {
        "id": id_,
        "referral_id": referral_id,
        "attempt": number,
        "met_at": qualification.met_at,
        "created_at": at,
        "condition_trace": [write_judged(one) for one in qualification.trace] or None,
        "kind": FactKind.DEPOSIT,
        "event_ids": list(qualification.fact_ids),
    }
    await session.execute(_BEGIN, values)
    return Attempt(
        number=number,
        qualification_id=id_,
        fact_ids=frozenset(qualification.fact_ids),
        begun_at=at,
    )
