"""Publication of rule sets: what a backtest must have replayed."""

from datetime import timedelta

from db.engine import Database
from domain.fraud.rule_set_drafts import Changes
from referrals.access.audit import Actor
from referrals.fraud import rule_sets
from referrals.fraud.rule_sets import NewRuleSet, SwitchOutcome
from referrals.reporting import backtests
from referrals.reporting.backtests import Comparison
from tests.builders import NOW
from tests.referrals.fraud.assessed_referrals import DENIED, an_assessed_referral

ANN = Actor(name="Ann Lee", request_id=None, reason="a trial")
BEN = Actor(name="Ben Ode", request_id=None, reason="a trial")
DAY = timedelta(days=1)


async def a_draft(database: Database) -> int:
    changes = Changes(weights={"denied": 90})
    asked = NewRuleSet(based_on=1, changes=changes, campaigns={}, sample_percent=None)
    async with database.transaction() as session:
        version = await rule_sets.create(session, asked, ANN)
    assert version is not None
    return version


async def publish_after_a_backtest(database: Database, version: int) -> SwitchOutcome:
    """Replay the assessments of one day, and publish the version."""
    async with database.transaction() as session:
        live = (await rule_sets.active(session)).live
        candidate = await rule_sets.load(session, version)
        assert candidate is not None
        comparison = Comparison(candidate=candidate, baseline=live, since=NOW, until=NOW + DAY)
        await backtests.store(session, await backtests.replay(session, comparison), ANN)
        return await rule_sets.publish(session, version, BEN, at=NOW)


async def test_a_backtest_that_replayed_nothing_does_not_do_where_there_are_assessments(
    fresh_database: Database,
) -> None:
    version = await a_draft(fresh_database)
    async with fresh_database.transaction() as session:
        await an_assessed_referral(session, DENIED, at=NOW - DAY)
    assert await publish_after_a_backtest(fresh_database, version) is SwitchOutcome.REPORT_REQUIRED

    async with fresh_database.transaction() as session:
        await an_assessed_referral(session, DENIED)
    assert await publish_after_a_backtest(fresh_database, version) is SwitchOutcome.CHANGED


async def test_before_the_first_assessment_an_empty_backtest_will_do(
    fresh_database: Database,
) -> None:
    version = await a_draft(fresh_database)

    assert await publish_after_a_backtest(fresh_database, version) is SwitchOutcome.CHANGED
