"""Invariants of the ledger: its entries, its arrows, its balances and its debts."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from typing import Final

from domain.ledger.movements import (
    ARROWS,
    CAMPAIGN_BOOKS,
    DERIVED_BALANCE_BOOKS,
    MAY_BE_NEGATIVE,
)
from referrals.verification.invariant import Invariant, sql_list

_ARROWS: Final = ", ".join(
    f"('{movement}', '{book}', {sign})"
    for movement, arrows in ARROWS.items()
    for arrow in arrows
    for book, sign in zip(arrow, (-1, 1), strict=True)
)
_DEBT_MOVEMENTS: Final = "('owe', 'recover', 'forgive')"
_DEBT_MINOR: Final = """
    coalesce(sum(case t.movement when 'owe' then t.amount_minor else -t.amount_minor end), 0)
"""
# A part of a campaign's balance, where it is spread.
_IN_SHARDS: Final = """
    coalesce((select sum(s.balance_minor) from budget_shards s where s.account_id = a.id), 0)
"""

LEDGER_INVARIANTS: Final = (
    Invariant(
        "conservation",
        "All entries sum to zero in each currency.",
        """
        select currency from entries where $transfers(transfer_id)
         group by currency having sum(amount_minor) <> 0
        """,
    ),
    Invariant(
        "transfers_balance",
        "Each transfer has entries of its own amount and currency that sum to zero.",
        """
        select t.id from transfers t left join entries e on e.transfer_id = t.id
         where $transfers(t.id)
         group by t.id
        having count(e.id) = 0 or sum(e.amount_minor) <> 0
            or bool_or(abs(e.amount_minor) <> t.amount_minor or e.currency <> t.currency)
        """,
    ),
    Invariant(
        "transfers_follow_their_arrows",
        "Each transfer moves money between exactly the books that its movement names.",
        f"""
        with arrows (movement, book, sign) as (values {_ARROWS}),
             named as (select movement, string_agg(book || sign, ',' order by book, sign) as ends
                         from arrows group by movement),
             moved as (select e.transfer_id,
                              string_agg(a.book || sign(e.amount_minor)::int, ','
                                         order by a.book, sign(e.amount_minor)) as ends
                         from entries e join accounts a on a.id = e.account_id
                        where $transfers(e.transfer_id)
                        group by e.transfer_id)
        select t.id from transfers t join named n using (movement)
          left join moved m on m.transfer_id = t.id
         where m.ends is distinct from n.ends and $transfers(t.id)
        """,
    ),
    Invariant(
        "entries_keep_to_their_owners",
        "Each entry is on an account of its transfer's player or campaign, of its reward's kind.",
        f"""
        select t.id from transfers t join entries e on e.transfer_id = t.id
          join accounts a on a.id = e.account_id left join rewards w on w.id = t.reward_id
         where $transfers(t.id)
           and case when a.book in ({sql_list(CAMPAIGN_BOOKS)}) then a.campaign_id = t.campaign_id
                    when a.book = 'funding'
                    then coalesce(a.campaign_id::text, a.player_id, a.bonus_player_id) is null
                    when coalesce(w.kind, 'cash') = 'cash' then a.player_id = t.player_id
                    else a.bonus_player_id = t.player_id end is not true
        """,
    ),
    Invariant(
        "accounts_equal_entries",
        "Each account's balance is the sum of its entries.",
        f"""
        select a.id from accounts a left join entries e on e.account_id = a.id
         where a.book not in ({sql_list(DERIVED_BALANCE_BOOKS)})
         group by a.id having a.balance_minor + {_IN_SHARDS} <> coalesce(sum(e.amount_minor), 0)
        """,
        # A new entry continues the balance that the entry before it left, so that the sum over a
        # campaign's whole history is not needed: only where the balance was ever spread.
        f"""
        with kept as (select id, balance_minor from accounts a
                       where $accounts(a.id) and a.shards is null
                         and a.book not in ({sql_list(DERIVED_BALANCE_BOOKS)}))
        select k.id from kept k
         where k.balance_minor is distinct from
               (select e.balance_after_minor from entries e
                 where e.account_id = k.id order by e.id desc limit 1)
        union
        select k.id from entries e join kept k on k.id = e.account_id
         where $transfers(e.transfer_id)
           and e.balance_after_minor is distinct from e.amount_minor + coalesce(
               (select before.balance_after_minor from entries before
                 where before.account_id = e.account_id and before.id < e.id
                 order by before.id desc limit 1), 0)
        union
        select a.id from accounts a
         where $accounts(a.id) and a.shards is not null
           and a.balance_minor + {_IN_SHARDS} <> coalesce(
               (select sum(e.amount_minor) from entries e where e.account_id = a.id), 0)
        """,
    ),
    Invariant(
        "nothing_below_zero",
        "No account but owed and funding is below zero.",
        f"""
        select a.id from accounts a left join entries e on e.account_id = a.id
         where a.book not in ({sql_list(MAY_BE_NEGATIVE)})
         group by a.id
        having least(a.balance_minor + {_IN_SHARDS}, coalesce(sum(e.amount_minor), 0)) < 0
        """,
        f"""
        select a.id from accounts a
         where $accounts(a.id) and a.balance_minor < 0
           and a.book not in ({sql_list(MAY_BE_NEGATIVE)})
        """,
    ),
    Invariant(
        "holds_resolve_once",
        "A release or a void resolves a hold of the same reward and amount, and no other does.",
        """
        select t.id from transfers t left join transfers h on h.id = t.resolves_hold_id
         where t.resolves_hold_id is not null and $transfers(t.id)
           and (h.movement, h.reward_id, h.amount_minor, h.currency)
               is distinct from ('hold', t.reward_id, t.amount_minor, t.currency)
        union
        select resolves_hold_id from transfers
         where resolves_hold_id in (select resolves_hold_id from transfers where $transfers(id))
         group by resolves_hold_id having count(*) > 1
        """,
    ),
    Invariant(
        "debts_stay_with_their_rewards",
        "No more of a reward is recovered and forgiven than was owed.",
        f"""
        select t.reward_id from transfers t
         where t.movement in {_DEBT_MOVEMENTS}
           and t.reward_id in (select reward_id from transfers where $transfers(id))
         group by t.reward_id having {_DEBT_MINOR} < 0
        """,
    ),
    Invariant(
        "players_owe_their_debts",
        "What a player owes is what was owed, less what was recovered and forgiven.",
        f"""
        select a.id from accounts a
         where a.book = 'owed' and $accounts(a.id)
           and -a.balance_minor <> (
               select {_DEBT_MINOR} from transfers t join rewards w on w.id = t.reward_id
                where t.player_id = coalesce(a.player_id, a.bonus_player_id)
                  and t.currency = a.currency
                  and (w.kind is null) = (a.player_id is not null)
                  and t.movement in {_DEBT_MOVEMENTS})
        """,
    ),
    Invariant(
        "campaigns_await_their_debts",
        "What a campaign may recover is what was owed, less what was recovered and forgiven.",
        f"""
        with debts as (select t.campaign_id, t.currency, {_DEBT_MINOR} as minor
                         from transfers t where t.movement in {_DEBT_MOVEMENTS}
                        group by t.campaign_id, t.currency)
        select a.id from accounts a
          left join debts d on (d.campaign_id, d.currency) = (a.campaign_id, a.currency)
         where a.book = 'recoverable' and $accounts(a.id)
           and a.balance_minor <> coalesce(d.minor, 0)
        """,
    ),
)
