"""Referrals at a given stage, for tests that read them over the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from httpx import AsyncClient

from db import locks
from db.engine import Database, Session
from db.tables import ReferralRow, Reward
from domain.attribution.policy import Method
from domain.fraud.snapshot import Link, Snapshot
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from domain.rewards.reward import promised_rewards
from referrals.fraud import assessments, reviews
from referrals.lifecycle import stages
from referrals.rewards import transfers as rewards
from tests.api.bodies import create_code, unique


@dataclass(frozen=True, slots=True)
class StagedReferral:
    """A referral of the default campaign, moved to its stage as activities do."""

    referral_id: UUID
    referrer_id: str
    referee_id: str


async def referral_at_stage(
    client: AsyncClient, database: Database, *, to: Stage, code: str | None = None
) -> StagedReferral:
    code = code or await create_code(client)
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    referral_id = UUID((await client.post("/v1/clicks", json=click)).json()["referral_id"])
    now = datetime.now(UTC)
    async with database.transaction() as session:
        row = await stages.lock_referral(session, referral_id)
        assert row is not None
        await locks.lock_players(session, row.referrer_id)
        row.referee_id = unique("referee")
        row.attribution_method, row.attribution_confidence = Method.REFERRAL_TOKEN, 1.0
        until = now + timedelta(days=1)
        await stages.enter_stage(session, row, Stage.SIGNED_UP, until=until, at=now)
        if to in {Stage.HELD, Stage.REWARDED}:
            held = await hold_for_review(session, row, row.referee_id, now)
            if to is Stage.REWARDED:
                await rewards.release(session, row, held, at=now)
        await stages.enter_stage(session, row, to, until=until, at=now, reason=ReasonCode.REVIEW)
        return StagedReferral(referral_id, row.referrer_id, row.referee_id)


async def hold_for_review(
    session: Session, row: ReferralRow, referee_id: str, now: datetime
) -> Sequence[Reward]:
    """Reserve the reward and open a review of it."""
    evidence = Snapshot(links=(Link(kind="device_id", is_shared=True, is_hard=True),))
    judged = await assessments.assess_and_store(
        session, row, evidence, deposit_event_id="d", at=now
    )
    terms = stages.terms_of(row)
    promised = promised_rewards(row.id, terms, referrer_id=row.referrer_id, referee_id=referee_id)
    held = await rewards.write_promised(
        session,
        row,
        promised,
        qualification_id=uuid4(),
        deposit_event_id="d",
        held_until=now,
        at=now,
    )
    await rewards.hold(session, row, held, at=now)
    doubt = reviews.Doubt(
        attempt=1, score=judged.score, reasons=tuple(judged.reasons), amount=promised[0].amount
    )
    await reviews.ask(session, row, (), doubt, at=now)
    return held
