"""Postings: any sequence of them moves money and creates none."""

import asyncio
from collections import Counter
from typing import Final
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from db.engine import Database, Session
from db.tables import ReferralRow, Reward, TransferRow
from domain.ledger.movements import MAY_BE_NEGATIVE, Account, Book, Movement, Transfer
from domain.money import LARGEST_MINOR, Money
from referrals.ledger.account_locks import lock_accounts
from referrals.ledger.posting import BalanceTooLargeError, PostingOutcome, post
from tests import builders
from tests.fixtures.database_activity import assert_locked, wait_until_blocked
from tests.fixtures.lock_races import race_for_locks
from tests.referrals import reward_builders

RESOLVING: Final = (Movement.RELEASE, Movement.VOID)
UNREWARDED: Final = (Movement.FUND, Movement.DEFUND, Movement.SPEND, Movement.UNSPEND)
SPENT_SIGNS: Final = {Movement.SPEND: 1, Movement.UNSPEND: -1}
BROKEN: Final = text("""
    SELECT a.book FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
     WHERE (a.player_id = :player_id OR a.campaign_id = :campaign_id)
     GROUP BY a.id
    HAVING a.balance_minor <> coalesce(sum(e.amount_minor), 0) AND a.book <> 'spent'
        OR sum(e.amount_minor) < 0 AND a.book <> 'owed'
""")
BELOW_ZERO: Final = text("""
    SELECT e.id FROM entries e JOIN accounts a ON a.id = e.account_id
     WHERE (a.player_id = :player_id OR a.campaign_id = :campaign_id)
       AND e.balance_after_minor < 0 AND a.book <> 'owed'
""")
STORED: Final = text("""
    SELECT id, balance_minor FROM accounts
     WHERE (player_id = :player_id OR campaign_id = :campaign_id) AND book <> 'spent'
""")
MOVED: Final = text("""
    SELECT coalesce(sum(e.amount_minor), 0), count(*)
      FROM entries e JOIN transfers t ON t.id = e.transfer_id
     WHERE t.reference = :reference
""")

BETWEEN_PLAYER_AND_CAMPAIGN: Final = (
    Movement.FUND,
    Movement.DEFUND,
    Movement.HOLD,
    Movement.REINSTATE,
    Movement.REVERSE,
    Movement.SPEND,
    Movement.OWE,
    Movement.RECOVER,
    Movement.FORGIVE,
)
steps = st.lists(
    st.tuples(st.sampled_from(Movement), st.sampled_from([1, 400, 1000, 99_000])), max_size=12
)


@given(steps=steps)
@settings(max_examples=30, deadline=None)
async def test_any_sequence_of_postings_conserves_money(
    database: Database, steps: list[tuple[Movement, int]]
) -> None:
    async with Session(database.engine) as session:
        owners, reference = await _reward(session), builders.unique("postings")
        holds: list[UUID] = []
        arrows, spent_minor = 0, 0
        for movement, minor in steps:
            hold = holds.pop() if movement in RESOLVING and holds else None
            if movement in RESOLVING and hold is None:
                continue
            if movement is Movement.UNSPEND and minor > spent_minor:
                continue
            transfer = _transfer(owners, movement, minor, hold)
            posting = await post(session, [transfer], at=builders.NOW, reference=reference)
            if posting is PostingOutcome.POSTED:
                arrows += len(transfer.arrows)
                holds += [transfer.id] if movement is Movement.HOLD else []
                spent_minor += minor * SPENT_SIGNS.get(movement, 0)
        total, ends = (await session.execute(MOVED, {"reference": reference})).one()
        assert (total, ends) == (0, 2 * arrows)
        assert (await session.execute(BROKEN, _owners(owners))).all() == []


@given(
    batches=st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(BETWEEN_PLAYER_AND_CAMPAIGN), st.sampled_from([1, 400, 1000])
            ),
            min_size=1,
            max_size=5,
        ),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
async def test_transfers_are_posted_together_exactly_if_their_net_effect_fits(
    database: Database, batches: list[list[tuple[Movement, int]]]
) -> None:
    async with Session(database.engine) as session:
        owners = await _reward(session)
        model = Counter(await _stored_balances(session, owners))
        for batch in batches:
            transfers = [_transfer(owners, movement, minor) for movement, minor in batch]
            after = Counter(model)
            for source, target, minor in (
                (*arrow, t.amount.minor) for t in transfers for arrow in t.arrows
            ):
                after[source.id] -= minor
                after[target.id] += minor
            ends = {account for t in transfers for arrow in t.arrows for account in arrow}
            fits = all(after[a.id] >= 0 or a.book in MAY_BE_NEGATIVE for a in ends)
            # The database itself refuses more recovered or forgiven than is owed.
            if any(a.book is Book.OWED and after[a.id] > 0 for a in ends):
                continue
            posting = await post(session, transfers, at=builders.NOW)
            assert (posting is PostingOutcome.POSTED) is fits
            model = after if fits else model
        stored = await _stored_balances(session, owners)
        assert stored == {id_: model[id_] for id_ in stored}
        assert not (await session.scalars(BELOW_ZERO, _owners(owners))).all()


async def test_a_credit_that_recovers_its_own_amount_needs_no_budget(database: Database) -> None:
    async with database.transaction() as session:
        owners = await _reward(session)
        campaign = Account(book=Book.CAMPAIGN, currency="USD", campaign_id=owners[1].campaign_id)
        free = (await lock_accounts(session, [campaign]))[campaign] or 0
        debts = [_transfer(owners, movement, 1000) for movement in (Movement.OWE, Movement.DEFUND)]
        emptied = _transfer(owners, Movement.DEFUND, free - 1000)
        assert await post(session, [*debts, emptied], at=builders.NOW) is PostingOutcome.POSTED
        repaid = [
            _transfer(owners, movement, 1000) for movement in (Movement.REINSTATE, Movement.RECOVER)
        ]
        posting = await post(session, repaid, at=builders.NOW)
        await session.rollback()
    assert posting is PostingOutcome.POSTED


@pytest.mark.parametrize("movement", [Movement.FUND, Movement.UNSPEND])
async def test_a_balance_beyond_the_largest_amount_is_refused_and_nothing_written(
    database: Database, movement: Movement
) -> None:
    async with database.transaction() as session:
        row = await reward_builders.a_rewarded_referral(session)
    whole = Transfer(
        id=uuid4(),
        movement=movement,
        amount=Money(LARGEST_MINOR, "USD"),
        campaign_id=row.campaign_id,
        player_id=row.referrer_id,
    )
    with pytest.raises(BalanceTooLargeError, match="minor units"):
        async with database.transaction() as session:
            await post(session, [whole], at=builders.NOW)
    async with database.reading() as session:
        assert await session.get(TransferRow, whole.id) is None


async def test_a_transfer_posted_again_moves_nothing(database: Database) -> None:
    async with database.transaction() as session:
        offer = await builders.an_offer(session, budget=builders.usd(1))
        fund = Transfer(
            id=uuid4(),
            movement=Movement.FUND,
            amount=builders.usd(),
            campaign_id=offer.campaign.id,
        )
        postings = [await post(session, [fund], at=builders.NOW) for _ in range(3)]
        await session.rollback()
    assert postings == [
        PostingOutcome.POSTED,
        PostingOutcome.ALREADY_POSTED,
        PostingOutcome.ALREADY_POSTED,
    ]


async def test_spending_beyond_the_balance_posts_nothing(database: Database) -> None:
    player_id = builders.a_player_id()
    spend = Transfer(
        id=uuid4(), movement=Movement.SPEND, amount=builders.usd(1), player_id=player_id
    )
    async with database.transaction() as session:
        assert await post(session, [spend], at=builders.NOW) is PostingOutcome.INSUFFICIENT
        assert await session.get(TransferRow, spend.id) is None


async def test_an_account_that_another_transaction_has_just_made_is_locked(
    database: Database,
) -> None:
    account = Account(book=Book.HELD, currency="USD", player_id=f"player-{uuid4()}")
    async with database.transaction() as second:
        async with database.transaction() as first:
            assert await lock_accounts(first, [account]) == {account: 0}
            waiting = asyncio.create_task(lock_accounts(second, [account]))
            await wait_until_blocked(database, first)
        assert await waiting == {account: 0}

        await assert_locked(
            database, "select from accounts where player_id = :key", account.player_id
        )


async def test_two_who_lock_an_account_that_another_has_just_made_do_not_wait_in_a_circle(
    database: Database,
) -> None:
    owned = [
        Account(book=Book.HELD, currency="USD", player_id=f"player-{uuid4()}") for _ in range(2)
    ]
    new, existing = sorted(owned, key=lambda account: account.id)
    async with database.transaction() as session:
        await lock_accounts(session, [existing])

    await race_for_locks(database, lock_accounts, new=new, existing=existing)


async def _reward(session: Session) -> tuple[Reward, ReferralRow]:
    row = await reward_builders.a_held_referral(session)
    reward = await session.scalar(select(Reward).where(Reward.referral_id == row.id))
    assert reward is not None
    return reward, row


def _transfer(
    owners: tuple[Reward, ReferralRow], movement: Movement, minor: int, hold: UUID | None = None
) -> Transfer:
    reward, row = owners
    return Transfer(
        id=uuid4(),
        movement=movement,
        amount=Money(minor, reward.currency),
        campaign_id=row.campaign_id,
        player_id=reward.player_id,
        reward_id=None if movement in UNREWARDED else reward.id,
        resolves_hold_id=hold,
    )


async def _stored_balances(session: Session, owners: tuple[Reward, ReferralRow]) -> dict[UUID, int]:
    rows = await session.execute(STORED, _owners(owners))
    return {row.id: row.balance_minor for row in rows}


def _owners(owners: tuple[Reward, ReferralRow]) -> dict[str, object]:
    reward, row = owners
    return {"player_id": reward.player_id, "campaign_id": row.campaign_id}
