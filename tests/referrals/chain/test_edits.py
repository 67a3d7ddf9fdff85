"""An owner who edits, deletes or plants rows is seen, and the first row that differs is named."""

import pytest
from sqlalchemy import text

from db.engine import Session
from referrals.chain.checking import ChainReport, check, check_chain
from referrals.chain.linking import link_new_rows
from tests import builders
from tests.referrals.chain.conftest import ChainedDatabase, link_everything
from tests.referrals.chain.edits import EDITS, PLANTS

REPLICA = text("SET LOCAL session_replication_role = replica")


async def report_of(chained: ChainedDatabase, *statements: str) -> ChainReport:
    """Edit with every guard off, check, and take the edit back."""
    async with Session(chained.superuser.engine) as session:
        await session.execute(REPLICA)
        for statement in statements:
            result = await session.execute(text(statement))
            assert result.rowcount > 0, "nothing was edited"  # type: ignore[attr-defined]
        report = await check(session)
        await session.rollback()
        return report


async def test_what_nobody_edited_is_green(chained: ChainedDatabase) -> None:
    report = await check_chain(chained.application)

    assert report.ok, report.faults
    assert report.links > 100
    assert report.waiting == 0


@pytest.mark.parametrize("edit", EDITS)
async def test_an_edit_is_seen_and_named(chained: ChainedDatabase, edit: str) -> None:
    relation, statement = EDITS[edit]

    report = await report_of(chained, statement)

    assert not report.ok
    first = report.faults[0]
    assert (first.relation, first.seq is None) == (relation, False)
    assert first.sentence.startswith(("was changed", "was deleted"))


@pytest.mark.parametrize("plant", PLANTS)
async def test_a_planted_row_is_seen_and_named(chained: ChainedDatabase, plant: str) -> None:
    relation, statement = PLANTS[plant]

    report = await report_of(chained, statement)

    assert [fault.relation for fault in report.faults] == [relation]
    assert report.faults[0].sentence == "is in no link: it was planted"


async def test_a_change_of_the_order_of_keys_is_not_an_alarm(chained: ChainedDatabase) -> None:
    reversed_keys = """
        UPDATE campaign_versions SET terms = cast((
            SELECT '{' || string_agg(to_json(key) || ':' || value, ',' ORDER BY key DESC) || '}'
              FROM jsonb_each(terms)) AS jsonb)
    """
    assert (await report_of(chained, reversed_keys)).ok


async def test_a_row_that_commits_late_is_not_lost(chained: ChainedDatabase) -> None:
    database = chained.application
    before = (await check_chain(database)).links
    async with database.transaction() as late:
        await builders.an_invitation(late)
        async with database.transaction() as early:
            await builders.an_invitation(early)
        await link_everything(database)
    await link_everything(database)

    report = await check_chain(database)
    assert report.ok, report.faults
    assert report.links > before
    assert report.waiting == 0


async def test_rows_on_their_way_are_waiting_and_no_fault(chained: ChainedDatabase) -> None:
    async with chained.application.transaction() as session:
        await builders.an_invitation(session)

    report = await check_chain(chained.application)
    assert report.ok, report.faults
    assert report.waiting > 0
    await link_everything(chained.application)


async def test_an_act_waits_for_no_linking(chained: ChainedDatabase) -> None:
    async with chained.application.transaction() as linking:
        await linking.execute(
            text("select pg_advisory_xact_lock(hashtextextended('hash chain', 0))")
        )
        async with chained.application.transaction() as session:
            await session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            await builders.an_invitation(session)
        assert await link_new_rows(chained.application) == 0

    assert await link_new_rows(chained.application) > 0


async def test_a_release_links_nothing_under_a_schema_that_it_does_not_know(
    chained: ChainedDatabase,
) -> None:
    turn = text("update alembic_version set version_num = :revision")
    async with chained.superuser.transaction() as session:
        before = await session.scalar(text("select version_num from alembic_version"))
        await session.execute(turn, {"revision": "9999"})
    async with chained.application.transaction() as session:
        await builders.an_invitation(session)
    assert await link_new_rows(chained.application) == 0

    async with chained.superuser.transaction() as session:
        await session.execute(turn, {"revision": before})
    assert await link_new_rows(chained.application) > 0
