"""Rows removed or planted by hand beside those that retention let go of: both checks find them."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text

from db.engine import Database, Session
from referrals.chain.checking import check
from referrals.personal.retention import WHOLE_ROWS
from referrals.verification.verify import verify
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.referrals.personal.ended_referrals import (
    Ended,
    an_ended_database,
    assert_green,
    let_go,
)
from tests.referrals.reward_builders import CREDITED_AT

_A_RECORD: Final = """
    insert into let_go (kind, since, until, rows, links)
    select 'invitations', '-infinity', now() - interval '90 days', '{"timeline": 2}',
           range_agg(int8range(seq, seq, '[]'))
      from chain_links where relation = 'timeline' and row_key in (
           select cast(id as text) from timeline where referral_id = :lately)
"""
_STORY: Final = """
    insert into let_go_invitations (referral_id, let_go_id, expired_at, clicks)
    select :lately, max(id), now(), '[]' from let_go
"""
_NO_TIMELINE: Final = "delete from timeline where referral_id = :lately"
BY_HAND: Final[Mapping[str, tuple[tuple[str, ...], set[str], str]]] = {
    "a timeline without a record": (
        (_NO_TIMELINE,),
        {"timeline_tells_the_stage"},
        "was deleted",
    ),
    "a timeline with a record of nobody's": (
        (_A_RECORD, _STORY, _NO_TIMELINE),
        {"rows_are_let_go_by_retention", "let_go_referrals_are_as_recorded"},
        "is in no link: it was planted",
    ),
    "the timeline of money with a record": (
        (
            _A_RECORD.replace(":lately", ":held"),
            _STORY.replace(":lately", ":held"),
            _NO_TIMELINE.replace(":lately", ":held"),
        ),
        {
            "rows_are_let_go_by_retention",
            "let_go_referrals_are_as_recorded",
            "timeline_tells_the_stage",
        },
        "is in no link: it was planted",
    ),
    "an attribution with a record": (
        (
            _A_RECORD.replace("'timeline'", "'attributions'")
            .replace("cast(id as text) from timeline", "signup_event_id from attributions")
            .replace("timeline", "touches")
            .replace(":lately", ":settled"),
            "delete from attributions where referral_id = :settled",
        ),
        {"rows_are_let_go_by_retention", "bound_referrals_are_explained"},
        "was deleted: retention may not let go of it",
    ),
    "what a record says": (
        ("update let_go set links = links + '{[1,2)}' where kind = 'outbox'",),
        {"rows_are_let_go_by_retention"},
        "was let go of and is there again",
    ),
    "an event in an open window": (
        ("delete from outbox where aggregateid = cast(cast(:held as uuid) as text)",),
        {"stage_changes_are_announced"},
        "was deleted",
    ),
    "a timeline that is there again": (
        ("insert into timeline select * from kept where referral_id = :nothing",),
        {"timeline_tells_the_stage", "closed_windows_keep_their_totals"},
        "was let go of and is there again",
    ),
    "a stage change in a closed window": (
        (
            """
            insert into timeline (id, referral_id, step, stage, at, recorded_at)
            select gen_random_uuid(), referral_id, n, stage, at, recorded_at
              from timeline, generate_series(11, 14) n where referral_id = :settled and step = 1
            """,
        ),
        {"timeline_tells_the_stage", "closed_windows_keep_their_totals"},
        "is in no link: it was planted",
    ),
    "a delivery in an open window": (
        ("delete from deliveries where referral_id = :held",),
        {"facts_are_delivered"},
        "",
    ),
    "a fact that was never delivered": (
        (
            """
            create temporary table planted on commit drop as
            select f.* from facts f join referrals r on r.referee_id = f.player_id
             where r.id = :settled and f.kind = 'deposit'
            """,
            "update planted set event_id = 'planted', heard_at = now() - interval '110 days'",
            "insert into facts select * from planted",
        ),
        {"let_go_deliveries_were_of_facts"},
        "is in no link: it was planted",
    ),
    "the clicks of an invitation": (
        ("update let_go_invitations set clicks = clicks || clicks",),
        {"let_go_referrals_are_as_recorded"},
        "",
    ),
}
"""Statements with every guard off after retention, the checks that fail, and the chain's fault."""


@pytest.fixture(scope="module")
async def let_go_database(
    postgres: PostgresCluster, template_database: str
) -> AsyncIterator[tuple[Database, Ended]]:
    """Open as the superuser a database of which all kinds were let go of; `kept` has a copy."""
    async with (
        database_copy(postgres, template_database) as copy,
        open_database(copy.application) as application,
        open_database(copy.superuser) as superuser,
    ):
        ended = await an_ended_database(application, superuser)
        async with superuser.transaction() as session:
            await session.execute(text("create table kept as select * from timeline"))
        for kind in WHOLE_ROWS:
            await let_go(application, kind)
        await assert_green(application)
        yield superuser, ended


@pytest.mark.parametrize("edit", BY_HAND)
async def test_what_was_removed_or_planted_by_hand_is_still_found(
    edit: str, let_go_database: tuple[Database, Ended]
) -> None:
    superuser, ended = let_go_database
    statements, checks, fault = BY_HAND[edit]
    async with Session(superuser.engine) as session:
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        await session.execute(text("set local session_replication_role = replica"))
        for statement in statements:
            query = text(statement)
            needed = {name: getattr(ended, name) for name in query.compile().params}
            await session.execute(query, needed)
        report = await verify(session, as_of=CREDITED_AT, settling=timedelta(0))
        chain = await check(session)
        await session.rollback()

    assert {found.name for found in report.checks if not found.ok} == checks
    assert "".join(found.sentence for found in chain.faults[:1]) == fault
