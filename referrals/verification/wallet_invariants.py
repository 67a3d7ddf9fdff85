"""Invariants of payment orders: what the wallet posted, and what the ledger booked for it."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from typing import Final

from referrals.verification.invariant import Invariant

_POSTED_MINOR: Final = "case o.kind when 'reversal' then -o.posted_minor else o.posted_minor end"
_MOVED: Final = """
    transfers t join entries e on e.transfer_id = t.id
      join accounts a on a.id = e.account_id and a.book = 'available'
"""

# What is computed may rise: the reward says so once what is asked has been booked.
_ASKED: Final = """
    select o.reward_id, sum(case o.kind when 'reversal' then -o.gross_minor else o.gross_minor end)
           as minor,
           bool_or(o.booked_at is null and o.status in ('pending', 'posted')) as is_awaited
      from payment_orders o
     where o.status <> 'cancelled' and (o.status <> 'refused' or o.kind = 'reversal')
       and $referrals(o.referral_id)
     group by o.reward_id
"""

WALLET_INVARIANTS: Final = (
    Invariant(
        "payments_are_of_their_rewards",
        "A payment order is of its reward's player and currency; all of them ask for no more.",
        f"""
        select o.id from payment_orders o join rewards w on w.id = o.reward_id
         where $referrals(o.referral_id)
           and ((o.referral_id, o.player_id, o.currency)
                <> (w.referral_id, w.player_id, w.currency)
                or w.computation is null and o.gross_minor > greatest(w.amount_minor, w.due_minor))
        union
        select w.id from rewards w join ({_ASKED}) asked on asked.reward_id = w.id
         where asked.minor > greatest(w.amount_minor, w.due_minor)
           and (w.computation is null or not asked.is_awaited)
        """,
    ),
    Invariant(
        "payments_are_booked",
        "What the ledger booked for a payment order is what the wallet posted.",
        f"""
        with moved as (select t.reference, sum(e.amount_minor) as minor from {_MOVED}
                        where t.movement in ('release', 'reverse', 'reinstate', 'recover')
                          and t.reference is not null
                        group by t.reference)
        select o.id from payment_orders o left join moved m on m.reference = o.id::text
         where o.booked_at is not null and {_POSTED_MINOR} <> coalesce(m.minor, 0)
        """,
        # By player, because transfers have no index of their references.
        f"""
        select o.id from payment_orders o
         where o.booked_at is not null and $referrals(o.referral_id)
           and {_POSTED_MINOR} <> coalesce(
               (select sum(e.amount_minor) from {_MOVED}
                 where t.player_id = o.player_id and t.reference = o.id::text), 0)
        """,
    ),
)
