"""Retention of whole rows: of ended referrals and the outbox, on record, with both checks green."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from courier.route_player import route_player
from db.engine import Database
from db.migrate import MIGRATIONS
from domain.lifecycle.referral import EVENT_TYPES
from referrals.campaigns.budget_alerts import EVENT_TYPE as BUDGET_ALERT
from referrals.campaigns.tax_years import ALERT as TAX_ALERT
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome
from referrals.lifecycle import stages
from referrals.lifecycle.waiting import waiting_referrals
from referrals.personal.retention import WHOLE_ROWS
from referrals.personal.retention import let_go as let_go_batch
from referrals.reporting.referral_views import ReferralView, find_referral
from referrals.reports.funnel import By, FunnelRow, load_funnel
from referrals.reports.span import Span
from tests import state
from tests.builders import TOKENS
from tests.referrals import reward_builders
from tests.referrals.personal.ended_referrals import (
    ACTOR,
    CUTOFF,
    NOW,
    Ended,
    an_ended_database,
    assert_green,
    let_go,
)

_OF_REFERRAL: Final = text("""
    select (select count(*) from deliveries where referral_id = :id) as deliveries,
           (select count(*) from timeline where referral_id = :id) as timeline,
           (select count(*) from touches where referral_id = :id) as touches,
           (select count(*) from outbox
             where aggregateid = cast(cast(:id as uuid) as text)) as outbox
""")
GONE: Final = ("deliveries", "timeline", "touches", "outbox")
_CARRIED_LONG_AGO: Final = text("""
    update deliveries set acknowledged_at = now() - interval '120 days', attempts = 1,
           created_at = now() - interval '120 days' where referral_id = :id
""")


async def told_of(database: Database, ended: Ended) -> list[ReferralView | None]:
    async with database.reading() as session:
        return [await find_referral(session, id_) for id_ in (ended.nothing, ended.settled)]


async def all_funnels(database: Database) -> Mapping[By, list[FunnelRow]]:
    span = Span()
    async with database.reading() as session:
        return {by: await load_funnel(session, span, by=by) for by in By}


@pytest.fixture
async def ended(fresh_database: Database, fresh_superuser: Database) -> Ended:
    return await an_ended_database(fresh_database, fresh_superuser)


async def rows_of(database: Database, referral_id: UUID) -> Mapping[str, int]:
    async with database.reading() as session:
        return dict((await session.execute(_OF_REFERRAL, {"id": referral_id})).mappings().one())


async def test_deliveries_of_ended_referrals_are_let_go_of(
    ended: Ended, fresh_database: Database
) -> None:
    await assert_green(fresh_database)
    before = {id_: await rows_of(fresh_database, id_) for id_ in (ended.held, ended.lately)}
    of_settled = (await rows_of(fresh_database, ended.settled))["deliveries"]
    assert of_settled >= 2

    assert await let_go(fresh_database, "deliveries") == of_settled + 1

    assert (await rows_of(fresh_database, ended.settled))["deliveries"] == 0
    assert (await rows_of(fresh_database, ended.nothing))["deliveries"] == 0
    assert {id_: await rows_of(fresh_database, id_) for id_ in before} == before
    await assert_green(fresh_database)


async def test_an_event_that_comes_again_after_its_delivery_went_changes_nothing(
    ended: Ended, fresh_database: Database
) -> None:
    await let_go(fresh_database, "deliveries")
    row = await state.referral(fresh_database, ended.settled)
    async with fresh_database.transaction() as session:
        for fact in await facts.facts_of_player(session, row.referee_id or ""):
            outcome = await facts.record_fact(
                session, fact, player_id=row.referee_id or "", door="http"
            )
            assert outcome is RecordOutcome.DUPLICATE
        assert not await route_player(session, row.referee_id or "", tokens=TOKENS, now=NOW)

    assert (await rows_of(fresh_database, ended.settled))["deliveries"] == 0
    assert (await state.referral(fresh_database, ended.settled)).steps == row.steps
    await assert_green(fresh_database)


async def test_an_invitation_that_came_to_nothing_keeps_its_story_and_its_numbers(
    ended: Ended, fresh_database: Database
) -> None:
    before = await told_of(fresh_database, ended)
    funnels = await all_funnels(fresh_database)
    assert sum(row.counts["clicks"] for row in funnels[By.PLATFORM]) == 4

    assert await let_go(fresh_database, "invitations") == 1

    assert await rows_of(fresh_database, ended.nothing) == dict.fromkeys(GONE, 0)
    assert (await rows_of(fresh_database, ended.lately))["timeline"] == 2
    assert (await rows_of(fresh_database, ended.settled))["timeline"] == 5
    assert await told_of(fresh_database, ended) == before
    assert await all_funnels(fresh_database) == funnels
    await assert_green(fresh_database)


async def test_events_of_every_referral_are_let_go_of_and_the_timelines_of_money_stay(
    ended: Ended, fresh_database: Database
) -> None:
    young = {id_: await rows_of(fresh_database, id_) for id_ in (ended.held, ended.lately)}
    timeline = (await rows_of(fresh_database, ended.settled))["timeline"]

    # The two clicks, INVITED and EXPIRED; each stage of the referral that was paid, and a message.
    assert await let_go(fresh_database, "outbox") == 4 + timeline + 1

    assert await rows_of(fresh_database, ended.settled) == {
        **await rows_of(fresh_database, ended.settled),
        "timeline": timeline,
        "outbox": 0,
    }
    assert {id_: await rows_of(fresh_database, id_) for id_ in young} == young
    await assert_green(fresh_database)


async def test_a_window_that_is_half_done_is_green(ended: Ended, fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        assert await let_go_batch(session, "outbox", ACTOR, before=CUTOFF, limit=2) == 2
    await assert_green(fresh_database)
    assert (await rows_of(fresh_database, ended.settled))["outbox"] > 0

    assert await let_go(fresh_database, "outbox") > 0
    await assert_green(fresh_database)


async def test_a_chargeback_stays_by_which_rebuild_finds_a_lost_workflow(
    ended: Ended, fresh_database: Database, fresh_superuser: Database
) -> None:
    async with fresh_database.transaction() as session:
        row = await stages.lock_referral(session, ended.settled)
        assert row is not None
        await reward_builders.takes_back(session, row)
    async with fresh_superuser.transaction() as session:
        await session.execute(_CARRIED_LONG_AGO, {"id": ended.settled})

    await let_go(fresh_database, "deliveries")

    assert (await rows_of(fresh_database, ended.settled))["deliveries"] == 1
    async with fresh_database.reading() as session:
        waiting = await waiting_referrals(
            session, now=NOW, after=None, limit=100, only=[ended.settled]
        )
    assert [found.referral_id for found in waiting] == [ended.settled]


async def test_all_kinds_one_after_the_other_leave_both_checks_green(
    ended: Ended, fresh_database: Database
) -> None:
    for kind in reversed(WHOLE_ROWS):
        assert await let_go(fresh_database, kind) > 0
    assert await rows_of(fresh_database, ended.nothing) == dict.fromkeys(GONE, 0)
    await assert_green(fresh_database)


async def test_an_act_that_comes_again_after_its_event_went_announces_nothing(
    ended: Ended, fresh_database: Database
) -> None:
    await let_go(fresh_database, "outbox")
    await let_go(fresh_database, "invitations")
    for referral_id in (ended.settled, ended.nothing):
        before = await rows_of(fresh_database, referral_id)
        async with fresh_database.transaction() as session:
            row = await stages.lock_referral(session, referral_id)
            assert row is not None
            await stages.enter_stage(session, row, row.stage, until=row.until, at=NOW)
        assert await rows_of(fresh_database, referral_id) == before
    await assert_green(fresh_database)


def test_an_event_stays_that_only_its_row_keeps_from_being_written_again() -> None:
    migration = ScriptDirectory(str(MIGRATIONS)).get_revision("0067").module
    gone = set(re.findall(r"'(\w+)'", migration.EVENTS))
    assert {*EVENT_TYPES.values(), "RewardReinstated", "CodeClicked", "ShareRecorded"} <= gone
    assert gone & {"ReferralQualified", "RewardAdjusted", BUDGET_ALERT, TAX_ALERT} == set()
    assert "WebhookDisabled" not in gone
