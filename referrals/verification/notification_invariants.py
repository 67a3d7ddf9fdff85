"""Invariants of notifications: what was handed on is in the outbox, and was allowed."""

from typing import Final

from referrals.verification.invariant import Invariant

NOTIFICATION_INVARIANTS: Final = (
    Invariant(
        "notifications_are_handed_on",
        "A notification is in the outbox, under its player, once it was handed on, not before, and"
        " until retention closes the window.",
        # The event is of the same transaction as the attempt, whose time a clock of ours may have.
        """
        select n.id from notifications n
          left join outbox o on o.id = n.id
         where $referrals(n.referral_id)
           and (n.status = 'handed_on')
               is distinct from (o.aggregatetype = 'notification' and o.aggregateid = n.player_id)
           and (n.status = 'handed_on' or o.id is not null)
           and not (o.id is null and exists (
                select from notification_attempts a
                 where a.notification_id = n.id and a.outcome = 'handed_on'
                   and a.at < (select outbox_closed_until()) + interval '1 hour'))
        """,
    ),
    # A status that was being recorded at the same moment could not be seen yet.
    Invariant(
        "excluded_players_are_told_nothing",
        "Nothing was handed on to a player who was known to be excluded or closed.",
        """
        select n.id from notifications n
          join notification_attempts a on a.notification_id = n.id and a.outcome = 'handed_on'
          join facts f on f.kind = 'player' and f.player_id = n.player_id
                      and f.body ->> 'status' in ('self_excluded', 'closed')
                      and f.heard_at < a.at - interval '10 seconds'
         where $referrals(n.referral_id)
           and not exists (
                select from facts later
                 where later.kind = 'player' and later.player_id = n.player_id
                   and later.body ->> 'status' = 'restored' and later.heard_at < a.at
                   and (later.occurred_at, later.event_id) > (f.occurred_at, f.event_id))
        """,
    ),
)
