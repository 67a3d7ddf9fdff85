"""A player of whom a card, an address and a device are known, and the erasure of them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import Database
from db.reporters import NOBODY
from db.tables import Table
from domain.intake.sources import DEFAULT_SOURCE
from domain.privacy import Hasher
from referrals.access.audit import Actor
from referrals.chain.checking import check_chain
from referrals.intake import facts
from referrals.intake.events import DepositIn
from referrals.intake.facts import RecordOutcome
from referrals.personal.erasure import erase
from referrals.verification.verify import verify_database
from tests.fixtures.databases import DatabaseUrls
from tests.referrals.reward_builders import CREDITED_AT

ACTOR: Final = Actor(name="the.dpo", request_id=None, reason="the player asked for it")
HASHER: Final = Hasher("a key for tests, not a secret", public_url="https://refer.example")
TRAITS: Final = {
    "payment_instrument": "card-4242",
    "ip": "203.0.113.77",
    "device_id": "device-of-one-person",
}


@dataclass(frozen=True, slots=True)
class Known:
    """A player who was paid for, and of whom a card, an address and a device are known."""

    urls: DatabaseUrls
    application: Database
    owner: Database
    player_id: str
    deposit: DepositIn
    hashes: tuple[str, ...]


async def record(session: object, deposit: DepositIn) -> RecordOutcome:
    report = deposit.to_report(HASHER, None, source=DEFAULT_SOURCE, reporter=NOBODY)
    (outcome,) = await facts.record_facts(session, (report,), door="http")  # type: ignore[arg-type]
    return outcome


async def erase_player(known: Known) -> None:
    async with known.owner.transaction() as session:
        assert await erase(session, known.player_id, ACTOR)


async def content_of(database: Database) -> str:
    """Return every row of every table as text, as a dump has it."""
    found = []
    async with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            rows = text(f"select cast(to_jsonb(t) as text) from {table.name} t")  # noqa: S608
            found += list(await session.scalars(rows))
    return "\n".join(found)


async def assert_green(database: Database) -> None:
    report = await verify_database(database, as_of=CREDITED_AT)
    assert {check.name: check.failures for check in report.checks if not check.ok} == {}
    chain = await check_chain(database)
    assert chain.ok, chain.faults
