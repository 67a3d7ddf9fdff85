"""Invariants of payment orders: what the wallet posted, and what the ledger booked for it."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from typing import Final

from referrals.verification.invariant import Invariant

_POSTED_MINOR: Final = "case o.kind when 'reversal' then -o.posted_minor else o.posted_minor end"
_MOVED: Final = """
    transfers t join entries e on e.transfer_id = t.id
      join accounts a on a.id = e.account_id and a.book = 'available'
"""

WALLET_INVARIANTS: Final = (
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
