"""Erasure of a player: no linkable value is left, the money's proof is, both checks are green."""

import json
from typing import Any, Final

import pytest
from sqlalchemy import text

from referrals.chain.checking import check_chain
from referrals.intake.events import DepositIn
from referrals.intake.facts import RecordOutcome
from referrals.personal.erasure import erase
from referrals.personal.export import export
from referrals.reports.funnel import By, load_funnel
from referrals.reports.span import Span
from tests.referrals.chain.conftest import link_everything
from tests.referrals.personal.known_player import (
    ACTOR,
    Known,
    assert_green,
    content_of,
    erase_player,
    record,
)


async def test_leaves_no_value_linkable_and_both_checks_green(known: Known) -> None:
    before = await content_of(known.owner)
    assert all(hashed in before for hashed in known.hashes)
    await assert_green(known.application)

    await erase_player(known)
    await link_everything(known.application)

    after = await content_of(known.owner)
    assert [hashed for hashed in known.hashes if hashed in after] == []
    await assert_green(known.application)


async def test_leaves_what_another_player_presented_on_the_same_device(known: Known) -> None:
    async with known.application.transaction() as session:
        opened = text("""
            insert into touches (id, method, confidence, at, referral_id, visitor, player_id, ip)
            select gen_random_uuid(), 'clipboard', 1, now(), id, :visitor, 'a-housemate', :ip
              from referrals where referee_id = :player
        """)
        values = {"player": known.player_id, "visitor": "a-shared-phone", "ip": known.hashes[1]}
        await session.execute(opened, values)
    await link_everything(known.application)

    await erase_player(known)

    async with known.application.reading() as session:
        query = text("select visitor from touches where player_id = 'a-housemate'")
        assert await session.scalar(query) == "a-shared-phone"
    await assert_green(known.application)


async def test_a_visit_counts_in_reports_as_before(known: Known) -> None:
    async def clicks() -> int:
        async with known.application.reading() as session:
            (row,) = await load_funnel(session, Span(), by=By.CAMPAIGN)
        return row.counts["clicks"]

    async with known.application.transaction() as session:
        followed = text("""
            insert into touches
                (id, method, confidence, at, referral_id, campaign_slug, visitor, platform)
            select gen_random_uuid(), 'referral_token', 1, now(), id, campaign_slug, 'v', 'web'
              from referrals where referee_id = :player
        """)
        await session.execute(followed, {"player": known.player_id})
    before = await clicks()

    await erase_player(known)

    assert (before > 0, await clicks()) == (True, before)


async def test_keeps_the_proof_of_the_money(known: Known) -> None:
    async def money() -> object:
        async with known.application.reading() as session:
            query = text("""
                select (select jsonb_agg(to_jsonb(t) order by t.id) from transfers t),
                       (select jsonb_agg(to_jsonb(e) order by e.id) from entries e),
                       (select jsonb_agg(f.body -> 'amount' order by f.event_id) from facts f)
            """)
            return tuple((await session.execute(query)).one())

    before = await money()
    await erase_player(known)
    assert await money() == before


async def test_an_edit_of_an_erased_fact_is_seen(known: Known) -> None:
    await erase_player(known)
    async with known.owner.transaction() as session:
        await session.execute(text("select set_config('referrals.erasing', 'on', true)"))
        await session.execute(
            text(
                "update facts set body = jsonb_set(body, '{amount,minor}', '1') "
                "where event_id = 'a-deposit-with-traits'"
            )
        )

    report = await check_chain(known.application)
    assert [fault.sentence for fault in report.faults] == ["was changed"]


async def test_salts_without_an_erasure_are_missed(known: Known) -> None:
    async with known.owner.transaction() as session:
        await session.execute(text("delete from subject_salts"))

    report = await check_chain(known.application)
    assert {fault.sentence for fault in report.faults} == {"has lost its salt without an erasure"}


async def test_an_event_that_comes_again_is_known_and_brings_nothing_back(known: Known) -> None:
    await erase_player(known)

    async with known.application.transaction() as session:
        assert await record(session, known.deposit) is RecordOutcome.DUPLICATE

    await link_everything(known.application)
    assert known.hashes[0] not in await content_of(known.owner)
    await assert_green(known.application)


@pytest.mark.parametrize(
    "change",
    [
        {"player_id": "somebody-else"},
        {"amount": {"minor": 77, "currency": "USD"}},
        {"deposit_id": "another-deposit"},
        {"occurred_at": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_another_event_under_the_id_of_an_erased_one_is_refused(
    known: Known, change: dict[str, Any]
) -> None:
    await erase_player(known)
    other = DepositIn.model_validate(known.deposit.model_dump(exclude_none=True) | change)

    async with known.application.transaction() as session:
        assert await record(session, other) is RecordOutcome.CONFLICT


async def test_what_is_reported_later_is_linked_and_erased_by_a_second_erasure(
    known: Known,
) -> None:
    await erase_player(known)
    later = known.deposit.model_copy(update={"event_id": "a-later-deposit"})
    async with known.application.transaction() as session:
        assert await record(session, later) is RecordOutcome.ACCEPTED
    await link_everything(known.application)
    chain = await check_chain(known.application)
    assert chain.ok, chain.faults

    await erase_player(known)
    assert known.hashes[0] not in await content_of(known.owner)
    chain = await check_chain(known.application)
    assert chain.ok, chain.faults


async def test_the_application_cannot_erase(known: Known) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with known.application.transaction() as session:
            await erase(session, known.player_id, ACTOR)


async def test_an_export_has_what_is_known_and_after_an_erasure_no_traits(known: Known) -> None:
    async with known.application.reading() as session:
        before = await export(session, known.player_id)
        nothing = await export(session, "nobody")
    await erase_player(known)
    async with known.application.reading() as session:
        after = await export(session, known.player_id)

    assert [row["value"] for row in before["identity_links"]] == [known.hashes[0]]
    assert known.hashes[1] in json.dumps(before["facts"])
    assert not any(nothing.values())
    assert after["identity_links"] == []
    assert len(after["facts"]) == len(before["facts"])
    assert not any(hashed in json.dumps(after) for hashed in known.hashes)


SEEN_ONCE: Final = {
    "player_preferences": """
        insert into player_preferences (player_id, locale, time_zone, quiet_from, quiet_to)
        values (:player, 'fr', 'Europe/Paris', '22:00', '08:00')
    """,
    "touches": """
        insert into touches (id, method, confidence, at, visitor, player_id)
        values (gen_random_uuid(), 'clipboard', 1, now(), 'a-phone', :player)
    """,
    "identity_links": """
        insert into identity_links (kind, value, player_id, first_seen_at, last_seen_at)
        values ('phone', 'a-hash', :player, now(), now())
    """,
}
"""Rows by which a player may be known who was in no event and has no code."""


@pytest.mark.parametrize("table", SEEN_ONCE)
async def test_erases_a_player_who_is_known_by_one_row_alone(known: Known, table: str) -> None:
    player_id = "seen-once"
    async with known.owner.transaction() as session:
        await session.execute(text(SEEN_ONCE[table]), {"player": player_id})
    await link_everything(known.application)

    async with known.owner.transaction() as session:
        assert await erase(session, player_id, ACTOR)
        assert not await erase(session, "never-seen", ACTOR)

    left = await content_of(known.owner)
    values = ("Europe/Paris", "22:00", "a-phone", "a-hash")
    assert [value for value in values if value in left] == []
    await assert_green(known.application)
