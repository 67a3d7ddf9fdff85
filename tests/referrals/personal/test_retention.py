"""Retention: old clicks and sign-ins are let go of in batches, and both checks stay green."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from domain.privacy import Hasher
from referrals.access.audit import Actor
from referrals.chain.checking import check_chain
from referrals.personal.retention import KINDS, count_old, let_go
from tests.fixtures.databases import DatabaseUrls
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from tests.referrals.reward_builders import CREDITED_AT
from tests.state import violated_invariants
from tests.test_cli import referrals

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="retention")
HASHER: Final = Hasher("a key for tests, not a secret", public_url="https://refer.example")
NOW: Final = datetime.now(UTC)
LONG_AGO: Final = NOW - timedelta(days=500)
CUTOFF: Final = NOW - timedelta(days=400)
_TOUCH: Final = text("""
    insert into touches (id, method, confidence, at, referral_id, visitor, ip, player_id)
    values (gen_random_uuid(), 'cookie', 1, :at, :referral, :visitor, :ip, :player) returning id
""")
_SESSION: Final = text("""
    with person as (
        insert into people (id, person, name)
        values (gen_random_uuid(), :name, :name) returning id
    ), signed as (
        insert into audit (actor, action, subject, reason, details, at)
        select :name, 'console.sign_in', 'person:' || id, 'signed in', '{"role": "auditor"}', :at
          from person
    )
    insert into console_sessions (token_hash, person_id, role, created_at, expires_at)
    select :name, id, 'auditor', :at, :at from person
""")


@pytest.fixture
async def clicks(fresh_database: Database) -> dict[str, UUID]:
    """Record clicks old and new, of a referral that is over or open, and of a player."""
    found: dict[str, UUID] = {}
    async with fresh_database.transaction() as session:
        paid = await reward_builders.a_rewarded_referral(session)
        waiting = await reward_builders.a_held_referral(session)
        for name, at, referral, player in (
            ("old", LONG_AGO, None, None),
            ("old of a paid referral", LONG_AGO, paid.id, None),
            ("old of an open referral", LONG_AGO, waiting.id, None),
            ("old of a player", LONG_AGO, None, "somebody"),
            ("new", NOW, None, None),
        ):
            hashes = {"visitor": HASHER.hash("visitor", name), "ip": HASHER.hash("ip", name)}
            values = {"at": at, "referral": referral, "player": player, **hashes}
            found[name] = (await session.execute(_TOUCH, values)).scalar_one()
        for name, at in (("an old session", LONG_AGO), ("a new session", NOW)):
            await session.execute(_SESSION, {"name": name, "at": at})
    await link_everything(fresh_database)
    return found


async def let_go_and_then(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await let_go(session, "clicks", ACTOR, before=CUTOFF)
        await session.execute(text("set local referrals.erasing = 'on'"))
        await session.execute(text(statement))


async def kept_clicks(database: Database, clicks: dict[str, UUID]) -> set[str]:
    async with database.reading() as session:
        query = text("select id from touches where visitor is not null and ip is not null")
        ids = set(await session.scalars(query))
    return {name for name, touch_id in clicks.items() if touch_id in ids}


async def test_lets_go_of_what_is_old_in_batches_and_stays_green(
    clicks: dict[str, UUID], fresh_database: Database
) -> None:
    rows = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        async with fresh_database.transaction() as session:
            expected = await count_old(session, kind, before=CUTOFF)
        for _ in range(expected + 1):
            async with fresh_database.transaction() as session:
                rows[kind] += await let_go(session, kind, ACTOR, before=CUTOFF, limit=1)
        assert rows[kind] == expected
    await link_everything(fresh_database)

    assert (rows["clicks"], rows["sessions"]) == (2, 1)
    assert await kept_clicks(fresh_database, clicks) == {
        "old of an open referral",
        "old of a player",
        "new",
    }
    chain = await check_chain(fresh_database)
    assert chain.ok, chain.faults
    assert await violated_invariants(fresh_database, as_of=CREDITED_AT) == {}


async def test_the_command_counts_first_and_then_lets_go(
    clicks: dict[str, UUID], fresh_database: Database, fresh_urls: DatabaseUrls
) -> None:
    url, before = fresh_urls.application, await kept_clicks(fresh_database, clicks)

    counted = await referrals("retention", "--dry-run", url=url)
    after_counting = await kept_clicks(fresh_database, clicks)
    ended = await referrals("retention", "--days", "400", url=url)

    assert after_counting == before == set(clicks)
    assert counted.stdout.splitlines()[0] == "clicks: 2"
    assert (ended.returncode, ended.stdout) == (0, counted.stdout), ended.stderr
    assert len(await kept_clicks(fresh_database, clicks)) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_the_database_keeps_what_is_younger_than_sixty_days(
    fresh_database: Database, kind: str
) -> None:
    with pytest.raises(DBAPIError, match="kept for at least 60 days"):
        async with fresh_database.transaction() as session:
            await let_go(session, kind, ACTOR, before=NOW - timedelta(days=59))


async def test_the_application_erases_nothing_by_itself(
    clicks: dict[str, UUID], fresh_database: Database
) -> None:
    for statement in (
        "update touches set ip = null",
        "delete from console_sessions",
        "delete from subject_salts",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            await let_go_and_then(fresh_database, statement)
    assert await kept_clicks(fresh_database, clicks) == set(clicks)
