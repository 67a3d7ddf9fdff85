"""Verification: green after whole lives, and red for each planted corruption."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from db.engine import Database
from referrals.verification.invariants import INVARIANTS
from referrals.verification.verify import VerificationReport, verify
from tests.referrals import reward_builders
from tests.referrals.verification.corruptions import CORRUPTIONS, Corruption


@dataclass(frozen=True, slots=True)
class StoredReferrals:
    held: UUID
    rewarded: UUID


@pytest.fixture
async def stored_referrals(fresh_database: Database) -> StoredReferrals:
    """Store a held, a rewarded and a reversed referral in a fresh database."""
    async with fresh_database.transaction() as session:
        held = await reward_builders.a_held_referral(session)
        rewarded = await reward_builders.a_rewarded_referral(session)
        await reward_builders.a_reversed_referral(session)
    return StoredReferrals(held.id, rewarded.id)


@pytest.mark.usefixtures("stored_referrals")
async def test_everything_holds_after_whole_lives(fresh_database: Database) -> None:
    report = await _report(fresh_database)
    assert [check for check in report.checks if not check.ok] == []
    assert report.ok


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.check)
async def test_finds_a_planted_corruption_and_names_its_row(
    corruption: Corruption,
    stored_referrals: StoredReferrals,
    fresh_database: Database,
    fresh_superuser: Database,
) -> None:
    named = await _plant(corruption, stored_referrals, fresh_superuser)
    failed = {c.name: c.failures for c in (await _report(fresh_database)).checks if not c.ok}
    assert named in failed[corruption.check]
    assert set(failed) == {corruption.check} | corruption.also_noticed_by


def test_every_check_has_a_corruption_that_it_finds() -> None:
    assert [c.check for c in CORRUPTIONS] == [invariant.name for invariant in INVARIANTS]


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

    failed = {c.name: c.failures for c in (await _report(fresh_database)).checks if not c.ok}

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
    assert [c.name for c in (await _report(fresh_database)).checks if not c.ok] == []


@pytest.mark.usefixtures("stored_referrals")
async def test_undelivered_facts_are_lag_and_not_a_failure(fresh_database: Database) -> None:
    report = await _report(fresh_database)
    assert report.lag.undelivered > 0
    assert report.lag.oldest_s > 0


async def _plant(
    corruption: Corruption, stored_referrals: StoredReferrals, superuser: Database
) -> str:
    ids = {"held": stored_referrals.held, "rewarded": stored_referrals.rewarded}
    async with superuser.transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in (*corruption.statements, corruption.row_query):
            query = text(statement)
            needed = {name: ids[name] for name in query.compile().params}
            result = await session.execute(query, needed)
        return str(result.scalars().first())


async def _report(database: Database) -> VerificationReport:
    async with database.reading() as session:
        return await verify(session)
