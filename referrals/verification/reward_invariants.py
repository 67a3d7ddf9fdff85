"""Invariants of rewards: their amounts, players, holds, credits, assessments and approvals."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from typing import Final

from domain.fraud.rule import Severity
from domain.fraud.rule_table import RULES
from domain.rewards.reward import STATUS_AT_STAGE
from referrals.verification.invariant import Invariant

_STATUSES: Final = ", ".join(
    f"('{stage}', '{status}')" for stage, status in STATUS_AT_STAGE.items()
)
_NET_CREDITED_MINOR: Final = """
    coalesce(sum(case when t.movement in ('release', 'reinstate', 'forgive') then t.amount_minor
                      when t.movement in ('reverse', 'owe') then -t.amount_minor end), 0)
"""
_RESERVED_MINOR: Final = """
    (select coalesce(sum(h.amount_minor), 0) from transfers h
      where h.reward_id = w.id and h.movement = 'hold'
        and not exists (select from transfers r where r.resolves_hold_id = h.id))
"""
_SOFT_REASONS: Final = ", ".join(
    f"'{rule.name}'" for rule in RULES if rule.severity in {Severity.SOFT, Severity.NOTE}
)

REWARD_INVARIANTS: Final = (
    Invariant(
        "one_reward_per_side",
        "A referral has one reward of each kind to each side.",
        """
        select referral_id from rewards where $referrals(referral_id)
         group by referral_id, reward_type, kind having count(*) > 1
        """,
    ),
    Invariant(
        "rewards_are_for_their_pair",
        "A reward is of its referral's referrer or referee; its transfers are of the same player,"
        " of its currency and of its referral's campaign.",
        """
        select w.id from rewards w join referrals r on r.id = w.referral_id
         where $referrals(r.id)
           and w.player_id is distinct from
               case w.reward_type when 'referrer' then r.referrer_id else r.referee_id end
        union
        select t.id from transfers t join rewards w on w.id = t.reward_id
          join referrals r on r.id = w.referral_id
         where $transfers(t.id)
           and (t.player_id, t.currency, t.campaign_id)
               is distinct from (w.player_id, w.currency, r.campaign_id)
        """,
    ),
    Invariant(
        "rewards_are_what_was_promised",
        "A reward's amount is what the terms of its referral promise.",
        """
        select w.id from rewards w join referrals r on r.id = w.referral_id,
               lateral (select r.terms -> (w.reward_type || '_reward') as promised) p
         where $referrals(r.id)
           and not (p.promised is null and w.computation is not null)
           and (w.amount_minor, w.currency) is distinct from
               ((p.promised ->> 'minor')::bigint, p.promised ->> 'currency')
        """,
    ),
    Invariant(
        "terms_are_of_their_variant",
        "A referral has the terms of the variant that it names, or of a version without any.",
        """
        select r.id from referrals r join campaign_versions v on v.id = r.campaign_version_id
          left join lateral (
              select one from jsonb_array_elements(v.variants) as named (one)
               where one ->> 'name' = r.variant) as of_variant on true
         where r.variant is not null and $referrals(r.id)
           and (one is null or r.terms <> coalesce(nullif(one -> 'terms', 'null'), v.terms))
        """,
    ),
    Invariant(
        "rewards_match_their_credits",
        "An ISSUED reward is credited exactly once, net of reversals; any other one is not.",
        f"""
        select w.id from rewards w left join transfers t on t.reward_id = w.id
         where $referrals(w.referral_id)
         group by w.id
        having {_NET_CREDITED_MINOR} <> case w.status when 'ISSUED'
                                               then coalesce(w.due_minor, w.amount_minor)
                                               else 0 end
        """,
    ),
    Invariant(
        "rewards_match_their_holds",
        "While a reward is HELD, all of its amount is reserved, and nothing at other times.",
        f"""
        select w.id from rewards w
         where {_RESERVED_MINOR} <> case w.status when 'HELD' then w.amount_minor else 0 end
           and $referrals(w.referral_id)
        """,
    ),
    Invariant(
        "stage_agrees_with_money",
        "A referral's rewards have the status that its stage calls for.",
        f"""
        with expected (stage, status) as (values {_STATUSES})
        select r.id from referrals r left join rewards w on w.referral_id = r.id
          left join expected on expected.stage = r.stage
         where w.status is distinct from expected.status and w.id is not null
           and $referrals(r.id)
        union
        select r.id from referrals r
         where r.stage in ('HELD', 'REWARDED', 'SETTLED', 'REVERSED') and $referrals(r.id)
           and coalesce((r.terms -> 'referrer_reward' ->> 'minor')::bigint, 0) > 0
           and not exists (select from rewards w
                            where w.referral_id = r.id and w.reward_type = 'referrer')
        """,
    ),
    Invariant(
        "rewards_have_their_reasons",
        "Each reward links to its deposit, its terms, and its referral's assessment and attempt.",
        # Rewards of 0.2 have no attempt.
        """
        select w.id from rewards w join referrals r on r.id = w.referral_id
          left join facts f on f.kind = 'deposit' and f.event_id = w.deposit_event_id
                           and f.player_id = r.referee_id
          left join assessments a on a.id = w.assessment_id and a.referral_id = r.id
          left join qualifications q on q.id = w.qualification_id and q.referral_id = r.id
          left join qualification_facts l on l.qualification_id = q.id and l.kind = 'deposit'
                                         and l.event_id = w.deposit_event_id
         where $referrals(r.id)
           and (f.event_id is null or a.id is null
                or w.qualification_id is not null and l.event_id is null
                or w.campaign_version_id <> r.campaign_version_id)
        """,
    ),
    Invariant(
        "attempts_rest_on_facts",
        "Each attempt rests on facts of its referral's referee.",
        """
        select q.id from qualifications q join referrals r on r.id = q.referral_id
          left join qualification_facts l on l.qualification_id = q.id
          left join facts f on (f.kind, f.event_id) = (l.kind, l.event_id)
                           and f.player_id = r.referee_id
         where f.event_id is null and $referrals(r.id)
        """,
    ),
    Invariant(
        "rewards_are_assessed_on_their_deposit",
        "A reward's assessment is of the deposit that the reward rests on.",
        # A reward that 0.2 pointed to another deposit kept the assessment of the one before.
        """
        select w.id from rewards w join assessments a on a.id = w.assessment_id
          join qualification_facts q on q.qualification_id = w.qualification_id
                                    and q.event_id = w.deposit_event_id
         where a.deposit_event_id <> w.deposit_event_id and $referrals(w.referral_id)
        """,
    ),
    Invariant(
        "doubtful_credits_are_approved",
        "A credited reward whose verdict was not PASS was approved, for its attempt and reasons.",
        # Rewards that 0.2 credited have no attempt: any approval of the referral counts. Soft
        # reasons that came after an approval do not undo it.
        f"""
        select w.id from rewards w join assessments a on a.id = w.assessment_id
          left join qualifications q on q.id = w.qualification_id
         where w.status in ('ISSUED', 'REVERSED') and a.verdict <> 'pass'
           and $referrals(w.referral_id)
           and (not exists (select from reviews v
                             where v.referral_id = w.referral_id and v.decision = 'approve'
                               and (q.id is null or v.attempt = q.attempt))
                or not array(select reason from unnest(a.reasons) as reason
                              where a.outcomes is null or reason not in ({_SOFT_REASONS})
                                 or a.outcomes -> reason ->> 'outcome' = 'error')
                       <@ array(select unnest(v.reasons) from reviews v
                                           where v.referral_id = w.referral_id
                                             and v.decision = 'approve'
                                             and (q.id is null or v.attempt = q.attempt)))
        """,
    ),
)
