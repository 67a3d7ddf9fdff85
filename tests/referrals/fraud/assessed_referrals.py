"""Referrals with stored assessments, as scoring leaves them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from db.engine import Session
from db.tables import AssessmentRow
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import ListHits, Snapshot, stored_snapshot
from tests import builders
from tests.builders import NOW, Offer

HONEST = Snapshot()
DENIED = Snapshot(lists=ListHits(deny=("player",)))
SAME_PLAYER = Snapshot(same_player=True)


async def an_assessed_referral(
    session: Session, *snapshots: Snapshot, offer: Offer | None = None, at: datetime = NOW
) -> UUID:
    """Build a bound referral that was assessed once for each snapshot, an hour apart."""
    referral = await builders.a_bound_referral(session, offer, at=at)
    for place, snapshot in enumerate(snapshots):
        assessed_at = at + timedelta(hours=place)
        await an_assessment(session, referral.id, stored_snapshot(snapshot), at=assessed_at)
    return referral.id


async def an_assessment(
    session: Session, referral_id: UUID, evidence: dict[str, Any], *, at: datetime = NOW
) -> UUID:
    assessment_id = uuid4()
    values = {
        "id": assessment_id,
        "referral_id": referral_id,
        "deposit_event_id": "a-deposit",
        "score": 0,
        "verdict": Verdict.PASS,
        "reasons": [],
        "evidence": evidence,
        "assessed_at": at,
    }
    await session.execute(insert(AssessmentRow).values(values))
    return assessment_id
