"""Retention of identity links: a period for each kind, and whose links are kept meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import select, text

from db.engine import Database
from db.tables import IdentityLink
from referrals.access.audit import Actor
from referrals.chain.checking import check_chain
from referrals.personal.retention import KEPT_UNLESS_NAMED, LINKS, let_go, let_go_of_all, periods_of
from runtime.care_settings import RetentionSettings
from tests.fixtures.databases import DatabaseUrls
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from tests.referrals.reward_builders import CREDITED_AT
from tests.state import violated_invariants
from tests.test_cli import referrals

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="retention")
NOW: Final = datetime.now(UTC)
LONG_AGO: Final = NOW - timedelta(days=500)
CUTOFF: Final = NOW - timedelta(days=400)
_LINK: Final = text("""
    insert into identity_links (kind, value, player_id, first_seen_at, last_seen_at)
    select kind, 'hm1:' || kind || :player, :player, :at, :at
    from unnest(cast(:kinds as varchar[])) as kind
""")
_END: Final = text("update referrals set stage = 'SETTLED' where id = :referral")
_CASE: Final = text("""
    with opened as (
        insert into cases (
            id, kind, subject_kind, subject, number, opened_at, review_period, due_at
        ) values (gen_random_uuid(), 'late_link', 'referrer', :referrer, 1, :at, '3 days', :at)
        returning id
    )
    insert into case_referrals (id, case_id, referral_id, reasons, added_at)
    select gen_random_uuid(), id, :referral, array['late_link'], :at from opened
""")


@pytest.fixture
async def players(fresh_database: Database, fresh_superuser: Database) -> dict[str, str]:
    """Store old links of each kind, of players whose referrals are over or not, and a new one."""
    async with fresh_database.transaction() as session:
        ended = await reward_builders.a_rewarded_referral(session)
        credited = await reward_builders.a_rewarded_referral(session)
        held = await reward_builders.a_held_referral(session)
        examined = await reward_builders.a_rewarded_referral(session)
        examining = {"referral": examined.id, "referrer": examined.referrer_id, "at": NOW}
        await session.execute(_CASE, examining)
        found = {
            "nobody's referral": "stranger",
            "referee of one that is over": str(ended.referee_id),
            "referrer of one that may be taken back": credited.referrer_id,
            "referee of one that is held": str(held.referee_id),
            "referrer of one in an open case": examined.referrer_id,
            "seen lately": "newcomer",
        }
        for name, player in found.items():
            at = NOW if name == "seen lately" else LONG_AGO
            kinds = [kind.removeprefix("links_") for kind in LINKS]
            await session.execute(_LINK, {"player": player, "at": at, "kinds": kinds})
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        for referral in (ended, examined):
            await session.execute(_END, {"referral": referral.id})
    return found


async def linked(database: Database, players: dict[str, str], kind: str) -> set[str]:
    query = select(IdentityLink.player_id).where(IdentityLink.kind == kind)
    async with database.reading() as session:
        found = set(await session.scalars(query))
    return {name for name, player in players.items() if player in found}


async def test_links_of_each_kind_are_let_go_of_except_where_money_may_still_move(
    players: dict[str, str], fresh_database: Database
) -> None:
    for kind in LINKS:
        async with fresh_database.transaction() as session:
            rows = [await let_go(session, kind, ACTOR, before=CUTOFF, limit=1) for _ in range(3)]
        assert rows == [1, 1, 0], kind
        assert await linked(fresh_database, players, kind.removeprefix("links_")) == {
            "referrer of one that may be taken back",
            "referee of one that is held",
            "referrer of one in an open case",
            "seen lately",
        }


async def test_day_by_day_every_old_link_is_let_go_of_once(fresh_database: Database) -> None:
    ages = [timedelta(0), timedelta(microseconds=1), *(timedelta(days=n) for n in (1, 2, 3, 500))]
    async with fresh_database.transaction() as session:
        for number, age in enumerate(ages):
            values = {"player": f"seen-{number}", "at": CUTOFF - age, "kinds": ["phone"]}
            await session.execute(_LINK, values)

    # That of the cut-off itself is not older than it.
    assert await let_go_of_all(fresh_database, "links_phone", ACTOR, before=CUTOFF) == 5
    assert await let_go_of_all(fresh_database, "links_phone", ACTOR, before=CUTOFF) == 0
    seen = {"last": "seen-0"}
    assert await linked(fresh_database, seen, "phone") == {"last"}


async def test_verify_and_the_hash_chain_stay_green(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        paid = await reward_builders.a_rewarded_referral(session)
        values = {"player": "stranger", "at": LONG_AGO, "kinds": ["ip", "phone"]}
        await session.execute(_LINK, values)
        values = {"player": paid.referrer_id, "at": LONG_AGO, "kinds": ["ip", "phone"]}
        await session.execute(_LINK, values)
    await link_everything(fresh_database)
    for kind in ("links_ip", "links_phone"):
        async with fresh_database.transaction() as session:
            assert await let_go(session, kind, ACTOR, before=CUTOFF) == 1
    await link_everything(fresh_database)

    chain = await check_chain(fresh_database)
    assert chain.ok, chain.faults
    assert await violated_invariants(fresh_database, as_of=CREDITED_AT) == {}


def test_hard_links_are_kept_until_a_period_is_named_for_them() -> None:
    general = periods_of(400, {})
    named = periods_of(400, {"links_ip": 90, "links_phone": 1825, "clicks": None})

    assert not KEPT_UNLESS_NAMED & general.keys()
    assert {kind for kind in LINKS if kind in general} == {"links_ip", "links_network"}
    assert (named["links_ip"].days, named["links_phone"].days) == (90, 1825)
    assert "clicks" not in named
    assert named["links_network"].days == 400


@pytest.mark.parametrize(
    ("ages", "message"),
    [('{"links_phone": 59}', "60 days old"), ('{"links_fax": 90}', "links_fax is not a kind")],
)
def test_a_period_that_cannot_be_meant_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, ages: str, message: str
) -> None:
    monkeypatch.setenv("REFERRALS_DATABASE_URL", "postgresql+asyncpg://localhost/none")
    monkeypatch.setenv("REFERRALS_RETENTION_DAYS_BY_KIND", ages)

    with pytest.raises(ValueError, match=message):
        RetentionSettings()


async def test_the_command_lets_go_of_a_named_kind_alone(
    players: dict[str, str], fresh_database: Database, fresh_urls: DatabaseUrls
) -> None:
    url, asked = fresh_urls.application, ("--kind", "links_phone", "--days", "90")

    counted = await referrals("retention", "--dry-run", *asked, url=url)
    before = await linked(fresh_database, players, "phone")
    ended = await referrals("retention", *asked, url=url)
    refused = await referrals("retention", "--kind", "links_fax", url=url)

    assert (counted.stdout, ended.stdout) == ("links_phone: 2\n", "links_phone: 2\n")
    assert before == set(players)
    assert len(await linked(fresh_database, players, "phone")) == 4
    assert len(await linked(fresh_database, players, "ip")) == len(players)
    assert (refused.returncode, "links_fax is not a kind" in refused.stderr) == (2, True)
