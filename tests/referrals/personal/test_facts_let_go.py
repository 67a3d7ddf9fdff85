"""Retention of facts: values of players whom no referral needs go; ids, times and money stay."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from db.engine import Database
from db.reporters import NOBODY
from domain.intake.facts import Deposit
from domain.intake.sources import DEFAULT_SOURCE
from domain.privacy import ERASED
from referrals.access.audit import Actor
from referrals.chain.checking import check_chain
from referrals.intake import facts
from referrals.intake.events import DepositIn, SignupIn
from referrals.intake.facts import RecordOutcome
from referrals.personal.retention import count_old, let_go_of_all
from tests import builders
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls
from tests.referrals import reward_builders
from tests.referrals.chain.conftest import link_everything
from tests.referrals.personal.known_player import HASHER, TRAITS, content_of
from tests.referrals.reward_builders import CREDITED_AT
from tests.state import violated_invariants
from tests.test_cli import referrals

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="retention")
CUTOFF: Final = datetime.now(UTC) - timedelta(days=400)
_AGE: Final = text("update facts set heard_at = heard_at - interval '500 days'")
_ROUTED: Final = text("delete from inbox where player_id = any(:strangers)")


def events_of(player_id: str, value: str) -> tuple[SignupIn, DepositIn]:
    """Return a signup and a deposit whose personal values are this player's alone."""
    own: Mapping[str, Any] = {"player_id": player_id, "occurred_at": "2026-03-02T12:00:00Z"}
    signup = {"platform": "web", "jurisdiction": "US-NJ", "currency": "USD", "locale": "en-GB"}
    amount = {"minor": 500, "currency": "USD"}
    traits = dict.fromkeys(TRAITS, value) | {"ip": "203.0.113.77"}
    known = {"email": f"{value}@mail.example", "device_id": value}
    return (
        SignupIn.model_validate({**own, **signup, **known, "event_id": unique("signup")}),
        DepositIn.model_validate(
            {**own, **traits, "event_id": unique("d"), "deposit_id": unique("d"), "amount": amount}
        ),
    )


async def record(database: Database, *events: SignupIn | DepositIn) -> list[RecordOutcome]:
    async with database.transaction() as session:
        reports = [
            event.to_report(HASHER, None, source=DEFAULT_SOURCE, reporter=NOBODY)
            for event in events
        ]
        return await facts.record_facts(session, reports, door="http")


@pytest.fixture
async def reported(
    fresh_database: Database, fresh_superuser: Database
) -> dict[str, tuple[SignupIn, DepositIn]]:
    """Record old facts of a stranger, and of players who are in a referral or have a code."""
    async with fresh_database.transaction() as session:
        paid = await reward_builders.a_rewarded_referral(session)
        sharer = await builders.a_code(session)
    assert paid.referee_id
    players = {
        "stranger": unique("player"),
        "referee": paid.referee_id,
        "referrer": paid.referrer_id,
        "sharer": sharer.player_id,
    }
    events = {name: events_of(player, unique(name)) for name, player in players.items()}
    for two in events.values():
        await record(fresh_database, *two)
    async with fresh_superuser.transaction() as session:
        # Before they are linked: the chain has the time as well.
        await session.execute(text("set local session_replication_role = replica"))
        await session.execute(_AGE)
        strangers = [players["stranger"], players["sharer"]]
        await session.execute(_ROUTED, {"strangers": strangers})
    await link_everything(fresh_database)
    return events


async def hashes_kept(
    database: Database, events: Mapping[str, tuple[SignupIn, DepositIn]]
) -> set[str]:
    content = await content_of(database)
    return {
        name
        for name, (_, deposit) in events.items()
        if HASHER.hash("device_id", deposit.device_id or "") in content
    }


async def let_go_of_facts(database: Database) -> int:
    async with database.transaction() as session:
        expected = await count_old(session, "facts", before=CUTOFF)
    assert await let_go_of_all(database, "facts", ACTOR, before=CUTOFF) == expected
    return expected


async def test_only_what_no_referral_needs_is_let_go_of_and_both_checks_stay_green(
    reported: dict[str, tuple[SignupIn, DepositIn]], fresh_database: Database
) -> None:
    assert await hashes_kept(fresh_database, reported) == set(reported)

    assert await let_go_of_facts(fresh_database) == 2
    assert await let_go_of_facts(fresh_database) == 0

    assert await hashes_kept(fresh_database, reported) == {"referee", "referrer", "sharer"}
    await link_everything(fresh_database)
    chain = await check_chain(fresh_database)
    assert chain.ok, chain.faults
    assert await violated_invariants(fresh_database, as_of=CREDITED_AT) == {}


async def test_an_event_that_comes_again_later_counts_once_and_brings_nothing_back(
    reported: dict[str, tuple[SignupIn, DepositIn]], fresh_database: Database
) -> None:
    await let_go_of_facts(fresh_database)

    outcomes = await record(fresh_database, *reported["stranger"])

    assert outcomes == [RecordOutcome.DUPLICATE] * 2
    assert "stranger" not in await hashes_kept(fresh_database, reported)
    _, deposit = reported["stranger"]
    async with fresh_database.reading() as session:
        kept, _ = await facts.facts_of_player(session, deposit.player_id)
    assert isinstance(kept, Deposit)
    assert (kept.amount.minor, kept.deposit_id) == (500, deposit.deposit_id)
    assert kept.payment_instrument is None


async def test_an_owner_who_says_that_retention_did_it_is_seen(
    reported: dict[str, tuple[SignupIn, DepositIn]],
    fresh_database: Database,
    fresh_superuser: Database,
) -> None:
    _, deposit = reported["referee"]
    wiped = text("""
        update facts set body = body - 'device_id', matching = null, fingerprint = :erased,
               let_go_at = now()
         where kind = 'deposit' and event_id = :event_id
    """)
    edited = text("""
        update facts set body = jsonb_set(body, '{amount,minor}', '1')
         where kind = 'deposit' and event_id = :event_id
    """)
    values = {"event_id": deposit.event_id}
    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await session.execute(wiped, {**values, "erased": ERASED})
    violated = await violated_invariants(fresh_database, as_of=CREDITED_AT)
    assert violated == {"facts_are_let_go_by_retention": (f"deposit:{deposit.event_id}",)}

    async with fresh_superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        await session.execute(edited, values)
    chain = await check_chain(fresh_database)
    assert [fault.sentence for fault in chain.faults] == ["was changed"]


async def test_the_command_says_how_many_facts_it_let_go_of(
    reported: dict[str, tuple[SignupIn, DepositIn]],
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
) -> None:
    done = await referrals("retention", "--kind", "facts", url=fresh_urls.application)

    assert (done.returncode, done.stdout) == (0, "facts: 2\n"), done.stderr
    assert len(await hashes_kept(fresh_database, reported)) == 3
