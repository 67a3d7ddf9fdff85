"""Assessments at the signup: the evidence about a pair as it was when its referee had signed up.

They decide nothing: what is paid rests on the assessment of what qualified, which sees all that was
learned since. They say what was known at the signup, which links, lists and records alone cannot
say later.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from db.clock import database_now
from db.engine import ReadSession, Session
from db.tables import ReferralRow, SignupAssessment
from domain.fraud.lists import ListName
from domain.fraud.rule_sets import Assessment, score
from domain.fraud.snapshot import ListHits, Snapshot, stored_snapshot
from domain.intake.facts import FactKind, Signup, StatusChange
from domain.rewards.eligibility import eligibility
from referrals.fraud import evidence, lists, rule_sets
from referrals.intake import facts
from referrals.intake.facts import FACT_FAULTS

NO_DEPOSIT: Final = ""
SIGNUP_FIELDS: Final = frozenset(field.name for field in fields(Signup))

IS_WAITING: Final = text("select exists (select from signups_to_assess)")
"""Query whether a pair is to be assessed."""
_WAITING: Final = text("""
    select referral_id from signups_to_assess order by noted_at, referral_id limit :limit
""")
TAKE: Final = text("""
    delete from signups_to_assess where referral_id = any(array(
        select referral_id from signups_to_assess where referral_id = any(:referral_ids)
        order by referral_id for update skip locked
    )) returning referral_id
""")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupEvidence:
    """Evidence about a pair before its first deposit, and the mark by which it is current."""

    referral: ReferralRow
    snapshot: Snapshot
    ineligible: tuple[str, ...]
    """Reasons for which a player of the pair could not be credited, each after its role."""
    marker: str


Gathered = Mapping[UUID, SignupEvidence | None]


async def waiting(session: ReadSession, *, limit: int) -> Sequence[UUID]:
    """Return up to `limit` referrals whose pair is to be assessed, the longest waiting first."""
    return [*await session.scalars(_WAITING, {"limit": limit})]


async def gather(session: ReadSession, referral_ids: Collection[UUID]) -> Gathered:
    """Return the evidence about pairs; None for a pair whose facts cannot be read.

    The session must read one snapshot.
    """
    rows = await session.scalars(select(ReferralRow).where(ReferralRow.id.in_(referral_ids)))
    found = {row.id: row for row in rows}
    at = await database_now(session)
    return {
        referral_id: await _gather_one(session, found.get(referral_id), at=at)
        for referral_id in referral_ids
    }


async def store(session: Session, gathered: Gathered) -> int:
    """Score and store gathered evidence, gathered again where it is stale; return how many.

    Pairs that another courier has taken meanwhile are left out.
    """
    taken = sorted(await session.scalars(TAKE, {"referral_ids": sorted(gathered)}))
    active = await rule_sets.active(session)
    known = [found for referral_id in taken if (found := gathered[referral_id])]
    markers = await evidence.load_markers(session, [found.referral for found in known])
    rows = []
    for each in known:
        found = await _current(session, each, markers[each.referral.id])
        if found is not None:
            rule_set = active.live.of(found.referral.campaign_slug)
            rows.append(_stored(found, score(found.snapshot, rule_set)))
    if rows:
        await session.execute(insert(SignupAssessment).on_conflict_do_nothing(), rows)
    return len(rows)


async def _current(
    session: ReadSession, found: SignupEvidence, marker: str
) -> SignupEvidence | None:
    """Return gathered evidence, or newer evidence where something was recorded meanwhile."""
    if found.marker == marker:
        return found
    row = await session.get(ReferralRow, found.referral.id)
    return await _gather_one(session, row, at=await database_now(session))


async def _gather_one(
    session: ReadSession, row: ReferralRow | None, *, at: datetime
) -> SignupEvidence | None:
    if row is None or row.referee_id is None:
        return None
    try:
        marked = await evidence.load_marked(session, row, deposit_event_id=NO_DEPOSIT)
        return SignupEvidence(
            referral=row,
            snapshot=await _without_deposit(session, row, row.referee_id, marked.snapshot, at=at),
            ineligible=await _ineligible(session, row, row.referee_id),
            marker=marked.marker,
        )
    except FACT_FAULTS as fault:
        _log.warning("signup_not_assessed", referral_id=str(row.id), fault=type(fault).__name__)
        return None


async def _without_deposit(
    session: ReadSession, row: ReferralRow, referee_id: str, found: Snapshot, *, at: datetime
) -> Snapshot:
    """Add what the lists say; what only a deposit can report is not missing yet."""
    hits = await lists.load_hits(session, referrer_id=row.referrer_id, referee_id=referee_id, at=at)
    return replace(
        found,
        requires=tuple(field for field in found.requires if field in SIGNUP_FIELDS),
        lists=ListHits(**{name.value: hits.kinds_on(name) for name in ListName}),
    )


async def _ineligible(session: ReadSession, row: ReferralRow, referee_id: str) -> tuple[str, ...]:
    pair = {"referee": referee_id, "referrer": row.referrer_id}
    reported = await facts.facts_of_players(session, {*pair.values()}, FactKind.PLAYER)
    changes = [fact for fact in reported if isinstance(fact, StatusChange)]
    return tuple(
        f"{role}:{reason}"
        for role, player_id in pair.items()
        for reason in eligibility(one for one in changes if one.player_id == player_id).reasons
    )


def _stored(found: SignupEvidence, assessment: Assessment) -> dict[str, Any]:
    return {
        "referral_id": found.referral.id,
        "evidence": stored_snapshot(found.snapshot),
        "ineligible": list(found.ineligible),
        "rule_set": assessment.rule_set,
        "score": assessment.score,
        "verdict": assessment.verdict,
        "reasons": list(assessment.reasons),
        "outcomes": {
            result.rule: {"weight": result.weight, "outcome": result.outcome.value}
            for result in assessment.results
        },
    }
