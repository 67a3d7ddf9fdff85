"""Bonus bets: rewards of a kind of their own, on balances apart from the players' cash."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import TextClause, select, text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.tables import OutboxRow, Reward
from domain.campaigns.rules import RewardKey, RewardType, Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, TakeBack
from domain.ledger.movements import Account, Book
from domain.lifecycle.referral import Stage
from domain.money import RewardKind
from domain.rewards.reward import RewardStatus
from referrals.ledger.balances import PlayerBalance, load_player_balance
from referrals.ledger.spending import SpendOutcome, spend
from referrals.reporting.reward_evidence import find_evidence
from referrals.rewards.transfers import rewards_of_referral
from tests import state
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, TERMS, chargeback, deposit, unique, usd
from tests.state import violated_invariants

CASH, BONUS = RewardKind.CASH, RewardKind.BONUS_BET
FLAT = {"flat": {"minor": 1000, "currency": "USD"}}
TENTH = {"percent": "10"}


def paying(*rewards: tuple[str, RewardKind, Mapping[str, Any]]) -> Terms:
    written = [{"to": to, "kind": kind, "amount": amount} for to, kind, amount in rewards]
    rules = Rules(rewards=read_rewards(written, "terms.rewards", currency="USD"))
    return replace(TERMS, referrer_reward=usd(0), rules=rules)


BOTH_KINDS = paying(("referrer", CASH, FLAT), ("referrer", BONUS, TENTH), ("referee", BONUS, FLAT))


async def balance_of(database: Database, player_id: str) -> PlayerBalance:
    async with database.reading() as session:
        return await load_player_balance(session, player_id)


async def rewards_of(acts: ReferralActs) -> dict[RewardKey, tuple[int, RewardStatus]]:
    async with acts.database.reading() as session:
        rows = await session.scalars(select(Reward).where(Reward.referral_id == acts.row.id))
        return {
            row.key: (row.amount_minor if row.due_minor is None else row.due_minor, row.status)
            for row in rows
        }


async def events_of(acts: ReferralActs, type_: str) -> list[dict[str, Any]]:
    query = select(OutboxRow.payload).where(
        OutboxRow.aggregateid == str(acts.row.id), OutboxRow.type == type_
    )
    async with acts.database.reading() as session:
        return list(await session.scalars(query))


async def test_cash_and_bonus_bets_of_one_player_are_apart(database: Database) -> None:
    acts = await sign_up(database, terms=BOTH_KINDS)
    await acts.receives(deposit(acts.referee_id, minor=5000))
    assert await acts.wake() is Stage.REWARDED

    referrer = await balance_of(database, acts.row.referrer_id)
    assert (referrer.available, referrer.bonus.available) == ((usd(1000),), (usd(500),))
    referee = await balance_of(database, acts.referee_id)
    assert (referee.available, referee.bonus.available) == ((), (usd(1000),))
    assert await rewards_of(acts) == {
        RewardKey(RewardType.REFERRER, CASH): (1000, RewardStatus.ISSUED),
        RewardKey(RewardType.REFERRER, BONUS): (500, RewardStatus.ISSUED),
        RewardKey(RewardType.REFEREE, BONUS): (1000, RewardStatus.ISSUED),
    }
    assert await state.budget(database, acts.row.campaign_id) == 100_000 - 2500


async def test_held_bonus_bets_are_reserved_apart(database: Database) -> None:
    terms = replace(BOTH_KINDS, hold_period=timedelta(days=3))
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id, minor=5000))
    assert await acts.wake() is Stage.HELD

    held = await balance_of(database, acts.row.referrer_id)
    assert (held.held, held.bonus.held) == ((usd(1000),), (usd(500),))
    assert await acts.wake(at=LATER + timedelta(days=4)) is Stage.REWARDED
    credited = await balance_of(database, acts.row.referrer_id)
    assert (credited.held, credited.bonus.held) == ((), ())


async def test_a_partial_refund_lowers_the_bonus_and_leaves_the_cash(database: Database) -> None:
    acts = await sign_up(database, terms=BOTH_KINDS)
    paid = deposit(acts.referee_id, minor=5000)
    await acts.receives(paid)
    await acts.wake()
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(2000)))
    assert await acts.wake(at=LATER + timedelta(hours=1)) is Stage.REWARDED

    left = await balance_of(database, acts.row.referrer_id)
    assert (left.available, left.bonus.available) == ((usd(1000),), (usd(300),))
    (event,) = await events_of(acts, "RewardAdjusted")
    assert (event["stage"], event["reason_code"]) == ("REWARDED", "deposit_taken_back")
    amounts = {
        (one["reward_type"], one["kind"]): (one["amount_before"]["minor"], one["amount"]["minor"])
        for one in event["rewards"]
    }
    assert amounts == {
        ("referrer", "cash"): (1000, 1000),
        ("referrer", "bonus_bet"): (500, 300),
        ("referee", "bonus_bet"): (1000, 1000),
    }
    await acts.wake(at=LATER + timedelta(hours=2))
    assert len(await events_of(acts, "RewardAdjusted")) == 1


async def test_a_chargeback_takes_both_back_and_a_win_gives_both_again(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    database = fresh_database
    acts = await sign_up(database, terms=BOTH_KINDS)
    paid = deposit(acts.referee_id, minor=5000)
    await acts.receives(paid)
    await acts.wake()
    taken: Chargeback = chargeback(paid, dispute_id="d")
    await acts.receives(taken)
    assert await acts.wake(at=LATER + timedelta(hours=1)) is Stage.REVERSED
    nothing = await balance_of(database, acts.row.referrer_id)
    assert (nothing.available, nothing.bonus.available) == ((), ())

    won = chargeback(paid, TakeBack.CHARGEBACK_WON, at=NOW + timedelta(hours=3), dispute_id="d")
    await acts.receives(won)
    assert await acts.wake(at=LATER + timedelta(hours=2)) is Stage.REWARDED
    again = await balance_of(database, acts.row.referrer_id)
    assert (again.available, again.bonus.available) == ((usd(1000),), (usd(500),))
    await acknowledge(fresh_superuser)
    assert await violated_invariants(database) == {}


async def test_evidence_names_the_player_of_each_entry_of_a_bonus_bet(database: Database) -> None:
    acts = await sign_up(database, terms=paying(("referrer", BONUS, FLAT)))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.REWARDED

    async with database.reading() as session:
        (reward,) = await rewards_of_referral(session, acts.row.id)
        evidence = await find_evidence(session, reward.id)
    assert evidence is not None
    of_players = {
        entry.player_id
        for transfer in evidence.transfers
        for entry in transfer.entries
        if entry.campaign_id is None
    }
    assert of_players == {acts.row.referrer_id}


async def test_a_debt_of_cash_is_not_recovered_from_bonus_bets(database: Database) -> None:
    indebted = await sign_up(database, terms=paying(("referrer", CASH, FLAT)))
    paid = deposit(indebted.referee_id)
    await indebted.receives(paid)
    await indebted.wake()
    player = indebted.row.referrer_id
    async with database.transaction() as session:
        spent = await spend(
            session, player_id=player, amount=usd(1000), reference=unique("bet"), at=LATER
        )
    assert spent is SpendOutcome.SPENT
    await indebted.receives(chargeback(paid))
    await indebted.wake(at=LATER + timedelta(hours=1))

    terms = paying(("referrer", BONUS, FLAT))
    other = await sign_up(database, terms=terms, referrer_id=player)
    await other.receives(deposit(other.referee_id))
    await other.wake(at=LATER + timedelta(hours=2))
    found = await balance_of(database, player)
    assert (found.owed, found.bonus.available) == ((usd(1000),), (usd(1000),))


async def test_bonus_bets_cannot_be_spent_as_cash(database: Database) -> None:
    acts = await sign_up(database, terms=paying(("referrer", BONUS, FLAT)))
    await acts.receives(deposit(acts.referee_id))
    await acts.wake()

    async with database.transaction() as session:
        outcome = await spend(
            session,
            player_id=acts.row.referrer_id,
            amount=usd(1),
            reference=unique("bet"),
            at=LATER,
        )
    assert outcome is SpendOutcome.INSUFFICIENT


async def test_events_tell_the_kind_of_each_reward(database: Database) -> None:
    acts = await sign_up(database, terms=BOTH_KINDS)
    await acts.receives(deposit(acts.referee_id, minor=5000))
    await acts.wake()

    (payload,) = await events_of(acts, "RewardGranted")
    kinds = sorted((one["reward_type"], one["kind"]) for one in payload["rewards"])
    assert kinds == [("referee", "bonus_bet"), ("referrer", "bonus_bet"), ("referrer", "cash")]


async def test_a_bonus_bet_on_an_account_of_cash_is_refused_by_the_database(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=paying(("referrer", BONUS, FLAT)))
    await acts.receives(deposit(acts.referee_id))
    await acts.wake()

    opened = text("""
        insert into accounts (id, book, currency, player_id)
        values (:available, 'available', 'USD', :player) on conflict do nothing
    """)
    moved = text("""
        with t as (insert into transfers
                       (id, movement, amount_minor, currency, campaign_id, player_id, reward_id,
                        referral_id, at)
                   select gen_random_uuid(), 'reverse', 400, 'USD', :campaign, w.player_id, w.id,
                          w.referral_id, now()
                     from rewards w where w.referral_id = :referral returning id)
        insert into entries (transfer_id, account_id, currency, amount_minor, balance_after_minor)
        select t.id, a.id, 'USD', a.minor, 0 from t,
               (values (cast(:available as uuid), -400), (cast(:budget as uuid), 400)) a (id, minor)
    """)
    player, campaign = acts.row.referrer_id, acts.row.campaign_id
    cash = Account(book=Book.AVAILABLE, currency="USD", player_id=player)
    budget = Account(book=Book.CAMPAIGN, currency="USD", campaign_id=campaign)
    values = {"campaign": campaign, "referral": acts.row.id, "player": player}
    values |= {"available": cash.id, "budget": budget.id}
    async with database.transaction() as session:
        await session.execute(opened, values)
    with pytest.raises(IntegrityError, match="account of another owner"):
        await execute(database, moved, values)


async def execute(database: Database, statement: TextClause, values: dict[str, Any]) -> None:
    async with database.transaction() as session:
        await session.execute(statement, values)
