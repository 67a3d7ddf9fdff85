"""Verification: green after whole lives, and red for each planted corruption."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from db.engine import Database
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from referrals.campaigns.transitions import apply_transition
from referrals.verification.runs import Mode
from referrals.verification.verify import CHECKS, run_verification
from tests.activities.queues import MARKETER
from tests.builders import NOW, an_offer, usd
from tests.referrals.reward_builders import CREDITED_AT
from tests.referrals.verification.conftest import SharedDatabase
from tests.referrals.verification.corruption import ACKNOWLEDGE, Corruption
from tests.referrals.verification.corruptions import CORRUPTIONS
from tests.referrals.verification.stored import (
    StoredReferrals,
    failures_of,
    report_of,
    report_with,
    store_referrals,
)


@pytest.fixture(scope="module")
async def stored(shared: SharedDatabase) -> StoredReferrals:
    return await store_referrals(shared.application)


@pytest.mark.usefixtures("stored_referrals")
async def test_everything_holds_after_whole_lives(fresh_database: Database) -> None:
    report = await report_of(fresh_database)
    assert [check for check in report.checks if not check.ok] == []
    assert report.ok


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.check)
async def test_finds_a_planted_corruption_and_names_its_row(
    corruption: Corruption, stored: StoredReferrals, shared: SharedDatabase
) -> None:
    report, named = await report_with(corruption, stored, shared.superuser)
    failed = failures_of(report)
    assert named in failed[corruption.check]
    assert set(failed) == {corruption.check} | corruption.also_noticed_by


def test_every_check_has_a_corruption_that_it_finds() -> None:
    planted = {corruption.check for corruption in CORRUPTIONS}
    assert planted | {"attributions_decide_again"} == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    "change",
    [
        """touches = jsonb_set(touches, '{0,refusal}', '"forged_token"')""",
        """touches = jsonb_set(touches, '{0,outcome}', '"outranked"')""",
        "touches = '[]'",
        "outcome = 'self'",
    ],
)
async def test_finds_an_attribution_that_would_be_decided_otherwise(
    change: str,
    stored_referrals: StoredReferrals,
    fresh_database: Database,
    fresh_superuser: Database,
) -> None:
    turned = f"""
        UPDATE attributions SET {change}
         WHERE referral_id = :rewarded RETURNING signup_event_id
    """  # noqa: S608 - from the table above
    async with fresh_superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        changed = await session.scalar(text(turned), {"rewarded": stored_referrals.rewarded})

    failed = failures_of(await report_of(fresh_database))

    assert failed == {"attributions_decide_again": (changed,)}


@pytest.mark.parametrize(
    "change",
    [
        "touches = jsonb_set(touches, '{0,a_later_field}', 'false')",
        """touches = jsonb_set(
            touches, '{0,at}', to_jsonb(replace(touches->0->>'at', 'Z', '+00:00')))""",
    ],
)
async def test_an_attribution_that_another_release_wrote_otherwise_is_decided_the_same(
    change: str,
    stored_referrals: StoredReferrals,
    fresh_database: Database,
    fresh_superuser: Database,
) -> None:
    rewritten = f"""
        UPDATE attributions SET {change} WHERE referral_id = :rewarded RETURNING touches
    """  # noqa: S608 - from the table above
    async with fresh_superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        touches = await session.scalar(text(rewritten), {"rewarded": stored_referrals.rewarded})

    assert touches
    assert failures_of(await report_of(fresh_database)) == {}


async def test_a_draft_that_was_ended_was_never_live(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        offer = await an_offer(session, status=CampaignStatus.DRAFT, budget=usd(0))
        ended = await apply_transition(
            session, offer.campaign.slug, CampaignTransition.END, MARKETER, at=NOW
        )
    assert ended is TransitionOutcome.CHANGED
    assert failures_of(await report_of(fresh_database)) == {}


@pytest.mark.usefixtures("stored_referrals")
async def test_undelivered_facts_are_lag_and_not_a_failure(fresh_database: Database) -> None:
    report = await report_of(fresh_database)
    assert report.lag.undelivered > 0
    assert report.lag.oldest_s > 0


async def test_a_deadline_that_has_just_passed_is_lag_and_not_a_failure(
    stored_referrals: StoredReferrals, fresh_database: Database, fresh_superuser: Database
) -> None:
    async with fresh_superuser.transaction() as session:
        delivered = ACKNOWLEDGE.format(referral=":held")
        await session.execute(text(delivered), {"held": stored_referrals.held})

    just_passed = await report_of(fresh_database, as_of=CREDITED_AT + timedelta(minutes=1))
    long_passed = await report_of(fresh_database, as_of=CREDITED_AT + timedelta(hours=2))

    assert (just_passed.lag.overdue, failures_of(just_passed)) == (1, {})
    assert failures_of(long_passed) == {"nothing_is_overdue": (str(stored_referrals.held),)}


async def test_what_was_delivered_a_moment_ago_is_not_judged_yet(
    stored_referrals: StoredReferrals, fresh_database: Database, fresh_superuser: Database
) -> None:
    async with fresh_superuser.transaction() as session:
        await session.execute(
            text("UPDATE deliveries SET acknowledged_at = now() WHERE referral_id = :rewarded"),
            {"rewarded": stored_referrals.rewarded},
        )
    assert failures_of(await report_of(fresh_database)) == {}


async def test_a_check_that_cannot_read_a_fact_is_red_and_the_others_run_on(
    stored_referrals: StoredReferrals, fresh_database: Database, fresh_superuser: Database
) -> None:
    later = """
        UPDATE facts SET body = body || '{"kind": "clawback"}' WHERE kind = 'chargeback'
           AND player_id = (SELECT referee_id FROM referrals WHERE id = :rewarded)
        RETURNING 'chargeback:' || event_id
    """
    async with fresh_superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        changed = await session.scalar(text(later), {"rewarded": stored_referrals.rewarded})
        delivered = text(ACKNOWLEDGE.format(referral=":rewarded"))
        await session.execute(delivered, {"rewarded": stored_referrals.rewarded})

    report = await run_verification(fresh_database, mode=Mode.WHOLE, as_of=CREDITED_AT)

    failed = failures_of(report)
    assert [check.name for check in report.checks] == [check.name for check in CHECKS]
    (failure,) = failed["rewards_are_what_is_due"]
    assert re.fullmatch(r"could not be checked: ValidationError at kind \(facts\.py:\d+\)", failure)
    assert failed["facts_match_their_fingerprints"] == (changed,)
