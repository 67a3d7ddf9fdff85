"""Backtests on stored assessments: which snapshots count, by which rules, and whose money."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from db.engine import Database, Session
from db.tables import Review
from domain.fraud.rule_set_drafts import CampaignRuleSets, Changes
from domain.fraud.rule_sets import BASE
from domain.intake.facts import Choice
from referrals.fraud.reviews import review_id_of
from referrals.reporting import backtests
from referrals.reporting.backtests import BacktestReport, Comparison
from tests import builders
from tests.builders import NOW
from tests.referrals.fraud.assessed_referrals import (
    DENIED,
    HONEST,
    SAME_PLAYER,
    an_assessed_referral,
    an_assessment,
)

LIVE = CampaignRuleSets(base=replace(BASE, version="1", sample_percent=0))
LENIENT = CampaignRuleSets(
    base=replace(LIVE.base, version="2", weights={**BASE.weights, "denied": 0})
)
DAY = timedelta(days=1)


async def replay(
    session: Session, candidate: CampaignRuleSets = LENIENT, *, page: int = backtests.PAGE
) -> BacktestReport:
    window = {"since": NOW, "until": NOW + DAY}
    comparison = Comparison(candidate=candidate, baseline=LIVE, **window)
    return await backtests.replay(session, comparison, page=page)


async def a_decided_review(session: Session, referral_id: UUID, choice: Choice) -> None:
    amount = builders.usd()
    values = {
        "id": review_id_of(referral_id),
        "referral_id": referral_id,
        "status": "decided",
        "score": 80,
        "reasons": ["denied"],
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "opened_at": NOW,
        "decision": choice,
        "reviewer": "reviewer",
        "reason": "looked into it",
        "decided_at": NOW,
    }
    await session.execute(insert(Review).values(values))


async def test_the_latest_snapshot_of_each_referral_in_the_time_counts(
    fresh_database: Database,
) -> None:
    async with fresh_database.transaction() as session:
        await an_assessed_referral(session, HONEST, DENIED)
        await an_assessed_referral(session, SAME_PLAYER, HONEST)
        await an_assessed_referral(session, DENIED, at=NOW - DAY)
        await an_assessed_referral(session, DENIED, at=NOW + DAY)
        found = await replay(session)
    verdicts = [(each.before, each.after, each.referrals) for each in found.verdicts]
    assert verdicts == [("pass", "pass", 1), ("review", "pass", 1)]
    assert (found.assessed, found.changed) == (2, 1)
    assert (found.queue.before, found.queue.after) == (1, 0)
    assert found.money.before == {"paid": [builders.usd()], "held": [builders.usd()], "blocked": []}
    assert found.money.after == {"paid": [builders.usd(2000)], "held": [], "blocked": []}


async def test_pages_lose_no_referral(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        for _ in range(5):
            await an_assessed_referral(session, DENIED)
        assert (await replay(session, page=2)).assessed == 5
        counted = await backtests.count_assessments(session, NOW, NOW + DAY, limit=3)
        assert counted == 3


async def test_a_campaign_is_tested_by_its_own_weights(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        offer = await builders.an_offer(session)
        await an_assessed_referral(session, DENIED, offer=offer)
        await an_assessed_referral(session, DENIED)
        own = CampaignRuleSets(
            base=LIVE.base, campaigns={offer.campaign.slug: Changes(weights={"denied": 0})}
        )
        assert (await replay(session, own)).changed == 1


async def test_a_snapshot_that_nobody_can_read_is_counted_apart(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        referral_id = await an_assessed_referral(session)
        await an_assessment(session, referral_id, {"version": 99})
        found = await replay(session)
    assert (found.assessed, found.unreadable) == (0, 1)


async def test_evidence_of_release_0_2_is_scored(fresh_database: Database) -> None:
    old = {
        "same_player": False,
        "same_identity": False,
        "shared_contacts": 0,
        "shared_instruments": 2,
        "shared_devices": 0,
        "shared_addresses": 1,
        "warnings": [],
        "unavailable": [],
    }
    async with fresh_database.transaction() as session:
        referral_id = await an_assessed_referral(session)
        await an_assessment(session, referral_id, old)
        found = await replay(session)
    assert (found.assessed, found.queue.before, found.unreadable) == (1, 1, 0)


async def test_reviewers_decisions_tell_who_was_stopped_rightly(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        for choice in (Choice.REJECT, Choice.APPROVE, None):
            referral_id = await an_assessed_referral(session, DENIED)
            if choice is not None:
                await a_decided_review(session, referral_id, choice)
        truth = (await replay(session)).truth
    assert (truth.fraud, truth.honest) == (1, 1)
    assert (truth.fraud_stopped_before, truth.fraud_stopped_after) == (1, 0)
    assert (truth.honest_stopped_before, truth.honest_stopped_after) == (1, 0)
