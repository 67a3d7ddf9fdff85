"""Guards of the database: triggers against everybody, and rights that the application lacks."""

# ruff: noqa: S608 - the statements are built from our own tables alone

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database, Session
from db.migrate import MIGRATIONS, upgrade
from db.tables import INSERT_ONLY, AccountRow, Entry, Reward, Table, TransferRow
from domain.ledger.movements import ARROWS, Account, Book, Movement, Transfer
from domain.money import Money
from referrals.ledger.account_locks import lock_accounts
from referrals.ledger.posting import post
from tests import builders
from tests.fixtures.databases import DatabaseUrls, open_database
from tests.referrals import reward_builders

QUEUES: Final = ("inbox", "signups_to_assess", "unlinked_rows")
PLAYER: Final = "a-player"
ENDS: Final[str] = ScriptDirectory(str(MIGRATIONS)).get_revision("0017").module.ENDS
"""The arrows as the guard in the database has them."""
SPENT: Final = Transfer(
    id=uuid4(), movement=Movement.SPEND, amount=builders.usd(), player_id=PLAYER
)


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize(
    "change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]
)
async def test_even_the_owner_cannot_change_an_insert_only_table(
    owner_database: Database, table: str, change: str
) -> None:
    column = Table.metadata.tables[table].columns.keys()[1]
    with pytest.raises(DBAPIError, match="only ever inserted"):
        async with owner_database.transaction() as session:
            await session.execute(text(change.format(table, column)))


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"DELETE FROM {table.name}"
            for table in Table.metadata.sorted_tables
            if table.name not in {*QUEUES, "rate_windows", "webhook_deliveries"}
        ),
        *(f"TRUNCATE {table.name}" for table in Table.metadata.sorted_tables),
        *(
            f"UPDATE {table} SET {Table.metadata.tables[table].columns.keys()[0]} = DEFAULT"
            for table in INSERT_ONLY
        ),
        "UPDATE rewards SET player_id = 'me'",
        "UPDATE referrals SET terms = '{}'",
        "UPDATE referrals SET referrer_id = 'me'",
        "UPDATE accounts SET player_id = 'me'",
        "UPDATE api_keys SET scopes = '{admin}'",
        "INSERT INTO api_keys (id, owner, scopes, key_hash) SELECT NULL, 'me', '{}', ''",
        "ALTER TABLE transfers DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
        "SET LOCAL session_replication_role = replica",
    ],
)
async def test_the_application_has_no_such_right(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def test_the_application_makes_no_temporary_tables(empty_urls: DatabaseUrls) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        with pytest.raises(DBAPIError, match="permission denied to create temporary tables"):
            async with database.transaction() as session:
                await session.execute(text("CREATE TEMPORARY TABLE entries (id int)"))


async def test_a_table_that_shadows_another_hides_nothing_from_the_guards(
    fresh_superuser: Database,
) -> None:
    async with _refused(fresh_superuser, "has no entries") as session:
        await session.execute(text("CREATE TEMPORARY TABLE entries AS TABLE entries"))
        transfer_id = await _transfer(session)
        shadow = "INSERT INTO pg_temp.entries (transfer_id, currency, amount_minor) VALUES"
        for minor in (-1000, 1000):
            values = f"('{transfer_id}', 'USD', {minor})"
            await session.execute(text(f"{shadow} {values}"))


async def test_a_transfer_without_entries_is_refused_at_commit(database: Database) -> None:
    async with _refused(database, "has no entries") as session:
        await _transfer(session)


async def test_entries_that_do_not_sum_to_zero_are_refused_at_commit(database: Database) -> None:
    async with _refused(database, "sum to -1") as session:
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-1000, 999])


async def test_entries_of_another_amount_are_refused_at_commit(database: Database) -> None:
    async with _refused(database, "another amount or currency") as session:
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-999, 999])


async def test_an_entry_added_to_an_old_transfer_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-1000, 1000])
    async with _refused(database, "sum to 1000") as session:
        await _entries(session, transfer_id, [1000])


async def test_an_entry_in_another_currency_than_its_account_is_refused(
    database: Database,
) -> None:
    async with _refused(database, "fk_entries_account_id_currency") as session:
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-1000, 1000], currency="EUR")


async def test_an_entry_on_another_players_account_is_refused(database: Database) -> None:
    async with _refused(database, "account of another owner") as session:
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-1000, 1000], player_id="somebody-else")


async def test_entries_between_other_books_than_the_movements_are_refused(
    database: Database,
) -> None:
    async with _refused(database, r"moves between held-,spent\+ instead of available-,spent\+") as (
        session
    ):
        transfer_id = await _transfer(session)
        await _entries(session, transfer_id, [-1000, 1000], source=Book.HELD)


@pytest.mark.parametrize("movement", Movement)
def test_the_guard_knows_the_arrows_of_every_movement(movement: Movement) -> None:
    ends = sorted(
        f"{book}{sign}"
        for arrow in ARROWS[movement]
        for book, sign in zip(arrow, "-+", strict=True)
    )
    expected = f"WHEN '{movement}' THEN '{','.join(ends)}'"
    assert expected in " ".join(ENDS.split()), expected


async def test_a_reward_of_a_stranger_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    async with _refused(database, "who is not the referee of its referral") as session:
        await session.execute(
            text("""
            INSERT INTO rewards (id, referral_id, reward_type, player_id, amount_minor, currency,
                                 status, deposit_event_id, campaign_version_id, created_at,
                                 changed_at)
            SELECT gen_random_uuid(), referral_id, 'referee', 'a-stranger', 5000000, currency,
                   'DEFERRED', deposit_event_id, campaign_version_id, now(), now()
              FROM rewards WHERE referral_id = :referral_id
            """),
            {"referral_id": row.id},
        )


async def test_a_hold_is_resolved_once(database: Database) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    async with _refused(database, "uq_transfers_resolves_hold_id") as session:
        await _transfer(session, await _second(session, row.id, Movement.VOID))


async def test_a_reward_is_not_reversed_beyond_what_was_credited(database: Database) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_reversed_referral(session)
    async with _refused(database, "would be credited -1000") as session:
        await post(session, [await _second(session, row.id, Movement.OWE)], at=builders.NOW)


async def test_a_reward_is_not_credited_twice(database: Database) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    async with _refused(database, "would be credited 2000") as session:
        await post(session, [await _second(session, row.id, Movement.REINSTATE)], at=builders.NOW)


async def test_no_more_is_given_back_than_was_spent_under_the_reference(
    database: Database,
) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
        spent = [replace(SPENT, id=uuid4(), player_id=row.referrer_id)]
        await post(session, spent, at=builders.NOW, reference="a bet")
    for reference, minor in (("a bet", 1001), ("another bet", 1), (None, 1)):
        given_back = replace(
            SPENT,
            id=uuid4(),
            movement=Movement.UNSPEND,
            amount=builders.usd(minor),
            player_id=row.referrer_id,
        )
        async with _refused(database, "gives back more than was spent") as session:
            await post(session, [given_back], at=builders.NOW, reference=reference)


async def test_a_negative_balance_is_refused(database: Database) -> None:
    account = Account(book=Book.AVAILABLE, currency="USD", player_id=builders.a_player_id())
    async with database.transaction() as session:
        await lock_accounts(session, [account])
    async with _refused(database, "ck_accounts_not_negative") as session:
        await session.execute(
            text("UPDATE accounts SET balance_minor = -1 WHERE id = :id"), {"id": account.id}
        )


@asynccontextmanager
async def _refused(database: Database, why: str) -> AsyncIterator[Session]:
    """Run a transaction that the database must refuse, at the latest at its commit."""
    with pytest.raises(DBAPIError, match=why):
        async with database.transaction() as session:
            yield session


async def _transfer(session: Session, transfer: Transfer = SPENT) -> UUID:
    """Insert the row of a transfer under a new id, past the code of the ledger."""
    transfer_id = uuid4()
    await session.execute(
        insert(TransferRow).values(
            id=transfer_id,
            movement=transfer.movement,
            amount_minor=transfer.amount.minor,
            currency=transfer.amount.currency,
            player_id=transfer.player_id,
            reward_id=transfer.reward_id,
            resolves_hold_id=transfer.resolves_hold_id,
            at=builders.NOW,
        )
    )
    return transfer_id


async def _entries(
    session: Session,
    transfer_id: UUID,
    amounts: Sequence[int],
    *,
    currency: str = "USD",
    player_id: str = PLAYER,
    source: Book = Book.AVAILABLE,
) -> None:
    """Insert an entry for each amount: from `source` the negative ones, to SPENT the others."""
    for minor in amounts:
        account_id = uuid4()
        await session.execute(
            insert(AccountRow).values(
                id=account_id,
                book=source if minor < 0 else Book.SPENT,
                currency="USD",
                player_id=player_id,
                balance_minor=0,
            )
        )
        await session.execute(
            insert(Entry).values(
                transfer_id=transfer_id,
                account_id=account_id,
                currency=currency,
                amount_minor=minor,
            )
        )


async def _second(session: Session, referral_id: UUID, movement: Movement) -> Transfer:
    """Return another movement of a referral's reward, under a new id."""
    reward = (await session.scalars(select(Reward).where(Reward.referral_id == referral_id))).one()
    hold = select(TransferRow).where(
        TransferRow.reward_id == reward.id, TransferRow.movement == Movement.HOLD
    )
    held = (await session.scalars(hold)).one()
    return Transfer(
        id=uuid4(),
        movement=movement,
        amount=Money(reward.amount_minor, reward.currency),
        campaign_id=held.campaign_id,
        player_id=reward.player_id,
        reward_id=reward.id,
        referral_id=referral_id,
        resolves_hold_id=held.id if movement is Movement.VOID else None,
    )
