"""Invariants of referrals: stages, timelines, deliveries, deadlines, and what retention let go."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from typing import Final

from domain.lifecycle.referral import OPEN_STAGES
from referrals.verification.invariant import Invariant, is_settled, sql_list

REFERRAL_INVARIANTS: Final = (
    Invariant(
        "one_referral_per_referee",
        "A player is the referee of at most one referral that is not LOST.",
        """
        select referee_id from referrals
         where referee_id is not null and stage <> 'LOST' and $players(referee_id)
         group by referee_id having count(*) > 1
        """,
    ),
    Invariant(
        "timeline_tells_the_stage",
        "A referral's timeline has every step, without gaps, and ends at its stage; retention lets"
        " go of it as a whole, and only where an invitation came to nothing.",
        """
        select r.id from referrals r left join timeline l on l.referral_id = r.id
          left join let_go_invitations g on g.referral_id = r.id
         where $referrals(r.id)
         group by r.id, g.referral_id
        having case when g.referral_id is null
               then count(l.id) = 0 or min(l.step) <> 1 or max(l.step) <> count(l.id)
                    or r.steps <> count(l.id)
                    or (array_agg(l.stage order by l.step desc))[1] <> r.stage
               else count(l.id) > 0 or r.stage <> 'EXPIRED' or r.referee_id is not null
                    or r.steps <> 2 end
        """,
    ),
    Invariant(
        "stage_changes_are_announced",
        "Each stage change has its event in the outbox, since the windows that retention closed.",
        """
        select l.id from timeline l left join outbox o on o.id = l.id
         where $referrals(l.referral_id) and l.recorded_at >= (select outbox_closed_until())
           and (o.aggregateid is distinct from l.referral_id::text
                or o.payload ->> 'stage' is distinct from l.stage)
        """,
    ),
    Invariant(
        "granted_rewards_are_stage_changes",
        "Each RewardGranted in the outbox is a stage change: nobody else tells of a credit.",
        """
        select o.id from outbox o
         where o.type = 'RewardGranted' and not exists (
               select from timeline l
                where l.id = o.id and l.referral_id::text = o.aggregateid and l.stage = 'REWARDED')
        """,
        """
        select o.id from referrals r join outbox o on o.aggregateid = r.id::text
         where o.type = 'RewardGranted' and $referrals(r.id)
           and not exists (select from timeline l
                            where l.id = o.id and l.referral_id = r.id and l.stage = 'REWARDED')
        """,
    ),
    Invariant(
        "facts_are_delivered",
        "Each routed fact of a bound player but bets has its delivery, or was heard before"
        " retention let go of those of its referral.",
        """
        select f.kind || ':' || f.event_id from facts f
          join referrals r on r.referee_id = f.player_id and r.stage <> 'LOST'
          left join deliveries d
            on (d.referral_id, d.kind, d.event_id) = (r.id, f.kind, f.event_id)
         where d.id is null and $players(r.referee_id) and f.kind <> 'wager'
           and not exists (select from let_go_deliveries g
                            where g.referral_id = r.id and f.heard_at < g.until)
           and not exists (select from inbox i
                            where (i.kind, i.event_id) = (f.kind, f.event_id))
        """,
    ),
    Invariant(
        "status_changes_reach_pending_rewards",
        "Each routed status change of a referrer since a reward is pending has its delivery.",
        # An act that waited for its locks began before the facts that it saw: hence the minute.
        """
        select f.kind || ':' || f.event_id || ' to ' || r.id from referrals r
          join facts f on f.kind = 'player' and f.player_id = r.referrer_id
          left join deliveries d
            on (d.referral_id, d.kind, d.event_id) = (r.id, f.kind, f.event_id)
         where r.stage in ('HELD', 'DEFERRED') and d.id is null and $players(r.referrer_id)
           and f.heard_at > (select max(recorded_at) from timeline where referral_id = r.id)
                            + interval '1 minute'
           and not exists (select from inbox i
                            where (i.kind, i.event_id) = (f.kind, f.event_id))
        """,
    ),
    Invariant(
        "stakes_are_counted",
        "The stakes of each referee are added up whose terms ask for them.",
        """
        select r.id from referrals r left join staking_players s on s.player_id = r.referee_id
         where r.referee_id is not null and $referrals(r.id) and asks_for_stakes(r.terms)
           and s.is_counted is not true
        """,
    ),
    Invariant(
        "stakes_add_up",
        "Of each counted player, the totals of days are those of the recorded bets.",
        """
        select player_id || ' ' || currency || ' ' || day from (
            select player_id, currency, day, stakes, minor from stake_totals
             where $players(player_id)
            union all
            select f.player_id, f.body #>> '{stake,currency}',
                   cast(f.occurred_at at time zone 'UTC' as date),
                   -count(*), -sum(cast(f.body #>> '{stake,minor}' as numeric))
              from facts f join staking_players s on s.player_id = f.player_id and s.is_counted
             where f.kind = 'wager' and $players(f.player_id)
             group by 1, 2, 3
        ) as compared
         group by player_id, currency, day having sum(stakes) <> 0 or sum(minor) <> 0
        """,
    ),
    # Few rows, found by an index: each run looks at all of them.
    Invariant(
        "nothing_is_overdue",
        "No open referral has waited past its deadline for longer than the grace.",
        f"""
        select r.id from referrals r
         where r.stage in ({sql_list(OPEN_STAGES)}) and r.until < :overdue_before
           and not exists (select from deliveries d
                            where d.referral_id = r.id and d.acknowledged_at is null)
        """,
    ),
    Invariant(
        "deferred_referrals_await_funds",
        "A DEFERRED referral is woken by a top-up, or waits for a limit or a switch.",
        """
        select r.id from referrals r
         where r.stage = 'DEFERRED' and not r.awaits_funds
           and not exists (select from holds h
                            where h.referral_id = r.id and h.cleared_at is null
                              and h.reason in ('limit', 'tax', 'switched_off'))
        """,
    ),
    Invariant(
        "open_reviews_are_of_held_referrals",
        "A review is open only while its referral is HELD, or its wallet refused to credit what is"
        " due again.",
        """
        select v.id from reviews v join referrals r on r.id = v.referral_id
         where v.status = 'open' and r.stage <> 'HELD'
           and not ('payment_refused' = any(v.reasons)
                    and (r.stage = 'REVERSED' or r.awaits_funds and r.terms ? 'rules'))
        """,
    ),
    Invariant(
        "open_holds_are_of_waiting_referrals",
        "A hold is open only while its referral is HELD, DEFERRED or REVERSED, or a computed"
        " reward that has risen waits, or it waits for an exchange rate.",
        """
        select h.id from holds h join referrals r on r.id = h.referral_id
         where h.cleared_at is null and r.stage not in ('HELD', 'DEFERRED', 'REVERSED')
           and not (r.awaits_funds and r.terms ? 'rules'
                    and h.reason in ('funds', 'limit', 'tax', 'ineligible', 'switched_off',
                                     'payment_pending', 'payment_refused'))
           and not (h.reason = 'no_rate' and r.stage in ('SIGNED_UP', 'LOST'))
        """,
    ),
    Invariant(
        "waiting_referrals_have_their_holds",
        "A HELD or DEFERRED referral has an open hold of its latest attempt.",
        # What 0.2 left waiting has no attempt until its next act.
        f"""
        select r.id from referrals r
          join lateral (select max(attempt) as latest from qualifications
                         where referral_id = r.id) q on q.latest is not null
         where r.stage in ('HELD', 'DEFERRED') and $referrals(r.id) and {is_settled("r")}
           and not exists (select from holds h
                            where h.referral_id = r.id and h.cleared_at is null
                              and h.attempt = q.latest)
        """,
    ),
    Invariant(
        "doubts_are_in_the_queue",
        "What a person must settle of a HELD referral is in an open review.",
        f"""
        select r.id from referrals r
          join holds h on h.referral_id = r.id and h.cleared_at is null
                      and h.reason in ('review', 'ineligible', 'payment_refused')
         where r.stage = 'HELD' and $referrals(r.id) and {is_settled("r")}
           and not exists (select from reviews v
                            where v.referral_id = r.id and v.status = 'open'
                              and v.attempt = h.attempt)
        """,
    ),
    Invariant(
        "bound_referrals_are_explained",
        "Each referral that a signup was bound to is in the attribution log.",
        """
        select r.id from referrals r
         where r.referee_id is not null and $referrals(r.id)
           and not exists (select from attributions a
                            where a.referral_id = r.id and a.player_id = r.referee_id
                              and (a.outcome in ('bound', 'rebound')
                                   or a.outcome = 'self' and a.attempt = 'signup'))
        """,
    ),
)

_NEW: Final = "g.let_go_at > now() - interval '1 hour'"
"""Condition of records that an incremental run looks at: all that stays is read by whole runs."""
_ORPHANS: Final = """
        select i.let_go_id from let_go_invitations i
          left join let_go g on g.id = i.let_go_id and g.kind = 'invitations'
         where g.id is null and $referrals(i.referral_id)
        union all
        select d.let_go_id from let_go_deliveries d
          left join let_go g on g.id = d.let_go_id and g.kind = 'deliveries'
         where g.id is null and $referrals(d.referral_id)
"""
_TOTALS: Final = """
        select g.id from let_go g
         where g.until = outbox_closed_until() and g.stage_changes is not null
           and (select sum(w.stage_changes) from let_go w)
             < (select count(*) from timeline where recorded_at < outbox_closed_until())
"""

RETENTION_INVARIANTS: Final = (
    # A row for each batch. The hash chain compares the links of a record with what is gone.
    Invariant(
        "rows_are_let_go_by_retention",
        "Each batch of rows that went is in the audit, was old enough, and is as large as it says.",
        """
        select g.id from let_go g
         where g.until > g.let_go_at - interval '60 days'
            or not exists (select from audit a
                            where a.subject = 'retention:' || g.kind and a.at = g.let_go_at
                              and a.action = 'retention.let_go' and a.reason <> '')
            or (select coalesce(sum(upper(l) - lower(l)), 0) from unnest(g.links) as l)
            <> (select coalesce(sum(counted.value::bigint), 0) from jsonb_each_text(g.rows) counted
                 where counted.key in ('timeline', 'touches', 'outbox'))
        """,
    ),
    Invariant(
        "let_go_referrals_are_as_recorded",
        "What stays of referrals whose rows were let go of is what the batch recorded.",
        f"""
        select g.id from let_go g where g.digest is distinct from let_go_digest(g.id)
        union all {_ORPHANS}
        """,
        f"""
        select g.id from let_go g where {_NEW} and g.digest is distinct from let_go_digest(g.id)
        union all {_ORPHANS}
        """,
    ),
    Invariant(
        "let_go_deliveries_were_of_facts",
        "A referral lacks as many deliveries of facts but bets as retention let go of, no more.",
        """
        select r.id
          from (select referral_id, max(until) as until, sum(facts) as facts
                  from let_go_deliveries group by referral_id) g
          join referrals r on r.id = g.referral_id
         where $referrals(r.id)
           and g.facts <> (
               select count(*) from facts f
                where f.player_id = r.referee_id and f.heard_at < g.until and f.kind <> 'wager'
                  and not exists (select from deliveries d
                                   where (d.referral_id, d.kind, d.event_id)
                                       = (r.id, f.kind, f.event_id)))
        """,
    ),
    Invariant(
        "closed_windows_keep_their_totals",
        "The windows of the outbox that are closed have no more stage changes than were announced.",
        _TOTALS,
        f"{_TOTALS} and {_NEW}",
    ),
)
