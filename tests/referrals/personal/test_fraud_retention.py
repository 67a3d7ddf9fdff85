"""Retention of what fraud rules and cases leave behind: old rows go, what counts stays."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from referrals.access.audit import Actor
from referrals.fraud import rule_sets
from referrals.personal.retention import count_old, let_go
from tests.fixtures.databases import DatabaseUrls, open_database
from tests.referrals import reward_builders
from tests.referrals.reward_builders import CREDITED_AT
from tests.state import violated_invariants

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="retention")
NOW: Final = datetime.now(UTC)
LONG_AGO: Final = NOW - timedelta(days=500)
CUTOFF: Final = NOW - timedelta(days=400)
ROWS: Final = {
    "list_entries": 2,
    "shadow_assessments": 1,
    "signup_assessments": 1,
    "case_deliveries": 1,
    "cluster_merges": 1,
}
"""Old rows of each kind among those that the fixture stores."""
# Entries removed and ended long ago, one that ended yesterday, one removed lately, one in force.
_ENTRIES: Final = text("""
    with entries as (
        insert into list_entries
            (id, list_name, kind, value, reason, added_by, added_at, expires_at, removed_at,
             removed_by)
        select gen_random_uuid(), 'deny', 'player', 'player-' || n, 'a farm', 'ann', :at, ends,
               gone, case when gone is null then null else 'ann' end
        from unnest(
            cast(:ends as timestamptz[]), cast(:gone as timestamptz[])
        ) with ordinality as given (ends, gone, n)
        returning id, kind, value
    ), keys as (
        insert into list_keys (entry_id, kind, value) select id, kind, value from entries
    )
    insert into list_hits (entry_id, referral_id) select id, :referral from entries
""")
_SHADOWS: Final = text("""
    insert into shadow_assessments
        (assessment_id, rule_set, score, verdict, reasons, outcomes, assessed_at)
    select assessment_id, 1, 0, 'pass', '{}', '{}', at
    from unnest(cast(:assessments as uuid[]), cast(:times as timestamptz[]))
        as given (assessment_id, at)
""")
_AT_SIGNUP: Final = text("""
    insert into signup_assessments
        (referral_id, evidence, ineligible, rule_set, score, verdict, reasons, outcomes,
         assessed_at)
    select referral_id, '{}', '{}', '1', 0, 'pass', '{}', '{}', at
    from unnest(cast(:referrals as uuid[]), cast(:times as timestamptz[]))
        as given (referral_id, at)
""")
_CASES: Final = text("""
    with cases as (
        insert into cases
            (id, kind, subject_kind, subject, number, status, opened_at, review_period, due_at)
        select gen_random_uuid(), 'sample', 'referral', status, 1, status, :at, '1 day', :at
        from unnest(array['open', 'closed']) as status
        returning id
    )
    insert into case_deliveries (case_id, created_at, acknowledged_at)
    select id, :at, :at from cases
""")
_MERGES: Final = text("""
    insert into cluster_merges
        (id, player_id, cluster_id, kinds, moved, merged_at, followed_at)
    select gen_random_uuid(), 'player', gen_random_uuid(), '{phone}', '{player}', :at, followed
    from unnest(cast(:followed as timestamptz[])) as followed
""")
_SIGNED: Final = text("""
    insert into audit (actor, action, subject, reason, details)
    select done.by, 'list.' || done.action, 'list-entry:' || e.id, e.reason,
           jsonb_build_object('list', e.list_name)
      from list_entries e
     cross join lateral (values ('add', e.added_by), ('remove', e.removed_by)) as done (action, by)
     where done.by is not null
""")
# Rows of today, as the application writes them.
_YOUNG: Final = text("""
    with person as (
        insert into people (id, person, name)
        values (gen_random_uuid(), 'ann', 'ann') returning id
    ), sessions as (
        insert into console_sessions (token_hash, person_id, role, expires_at)
        select 'a hash', id, 'auditor', now() from person
    ), entries as (
        insert into list_entries (id, list_name, kind, value, reason, added_by)
        values (gen_random_uuid(), 'deny', 'player', 'a player', 'a farm', 'ann')
    ), cases as (
        insert into cases
            (id, kind, subject_kind, subject, number, status, opened_at, review_period, due_at)
        values (gen_random_uuid(), 'sample', 'referral', 'one', 1, 'closed', :at, '1 day', :at)
        returning id
    )
    insert into case_deliveries (case_id) select id from cases
""")
_BACKDATED: Final = (
    "update console_sessions set ended_at = :at",
    "update list_entries set removed_at = :at, removed_by = 'ann'",
    "update case_deliveries set acknowledged_at = :at",
)


@pytest.fixture
async def stored(fresh_database: Database) -> Database:
    """Store rows old and new of each kind."""
    async with fresh_database.transaction() as session:
        first = await reward_builders.a_rewarded_referral(session)
        second = await reward_builders.a_rewarded_referral(session)
        await rule_sets.active(session)
        ends = [None, LONG_AGO, NOW - timedelta(days=1), None, None]
        gone = [LONG_AGO, None, None, NOW, None]
        await session.execute(
            _ENTRIES, {"at": LONG_AGO, "ends": ends, "gone": gone, "referral": first.id}
        )
        assessed = [first.assessment_id, second.assessment_id]
        await session.execute(_SHADOWS, {"assessments": assessed, "times": [LONG_AGO, NOW]})
        signed_up = {"referrals": [first.id, second.id], "times": [LONG_AGO, NOW]}
        await session.execute(_AT_SIGNUP, signed_up)
        await session.execute(_CASES, {"at": LONG_AGO})
        await session.execute(_SIGNED)
        followed = [LONG_AGO, NOW, None]
        await session.execute(_MERGES, {"at": LONG_AGO, "followed": followed})
    return fresh_database


async def test_old_rows_of_fraud_rules_and_cases_are_let_go_of(stored: Database) -> None:
    for kind, old in ROWS.items():
        async with stored.transaction() as session:
            assert await count_old(session, kind, before=CUTOFF) == old
            rows = [await let_go(session, kind, ACTOR, before=CUTOFF, limit=1) for _ in range(3)]
        assert sum(rows) == old

    async with stored.reading() as session:
        left = {
            name: await session.scalar(text(f"select count(*) from {name}"))  # noqa: S608
            for name in ("list_entries", "list_keys", "list_hits", *list(ROWS)[1:])
        }
    assert left == {
        "list_entries": 3,
        "list_keys": 3,
        "list_hits": 3,
        "shadow_assessments": 1,
        "signup_assessments": 1,
        "case_deliveries": 1,
        "cluster_merges": 2,
    }
    violated = await violated_invariants(stored, as_of=CREDITED_AT)
    assert set(violated) <= {"open_cases_are_attended"}


async def test_what_is_young_stays_though_its_end_is_said_to_be_old(
    fresh_database: Database,
) -> None:
    async with fresh_database.transaction() as session:
        await session.execute(_YOUNG, {"at": LONG_AGO})
        for statement in _BACKDATED:
            await session.execute(text(statement), {"at": LONG_AGO})

    for kind in ("sessions", "list_entries", "case_deliveries"):
        async with fresh_database.transaction() as session:
            assert await count_old(session, kind, before=CUTOFF) == 0, kind
            assert await let_go(session, kind, ACTOR, before=CUTOFF) == 0, kind


@pytest.mark.parametrize(
    "table", ["list_keys", "list_hits", "shadow_assessments", "signup_assessments"]
)
async def test_what_is_kept_for_a_time_is_not_deleted_otherwise(
    stored: Database, fresh_urls: DatabaseUrls, table: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await delete_all(stored, table, is_erasing=True)
    async with open_database(fresh_urls.owner) as owner:
        with pytest.raises(DBAPIError, match="only ever inserted"):
            await delete_all(owner, table, is_erasing=False)


async def delete_all(database: Database, table: str, *, is_erasing: bool) -> None:
    async with database.transaction() as session:
        if is_erasing:
            await session.execute(text("set local referrals.erasing = 'on'"))
        await session.execute(text(f"delete from {table}"))  # noqa: S608
