"""Invariants of referrals: their stages, timelines, deliveries, deadlines and explanations."""

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
        "A referral's timeline has every step, without gaps, and ends at its stage.",
        """
        select r.id from referrals r left join timeline l on l.referral_id = r.id
         where $referrals(r.id)
         group by r.id
        having count(l.id) = 0 or min(l.step) <> 1 or max(l.step) <> count(l.id)
            or r.steps <> count(l.id) or (array_agg(l.stage order by l.step desc))[1] <> r.stage
        """,
    ),
    Invariant(
        "stage_changes_are_announced",
        "Each stage change has its event in the outbox.",
        """
        select l.id from timeline l left join outbox o on o.id = l.id
         where $referrals(l.referral_id)
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
        "Each routed fact of a bound player has its delivery.",
        """
        select f.kind || ':' || f.event_id from facts f
          join referrals r on r.referee_id = f.player_id and r.stage <> 'LOST'
          left join deliveries d
            on (d.referral_id, d.kind, d.event_id) = (r.id, f.kind, f.event_id)
         where d.id is null and $players(r.referee_id)
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
                    and h.reason in ('funds', 'ineligible', 'switched_off', 'payment_pending',
                                     'payment_refused'))
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
