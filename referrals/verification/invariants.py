"""The table of invariants: a name, a sentence, and a query for the rows that break it."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from dataclasses import dataclass
from typing import Final

from domain.ledger.movements import ARROWS, DERIVED_BALANCE_BOOKS, MAY_BE_NEGATIVE
from domain.rewards.reward import STATUS_AT_STAGE


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that must always hold; `breach_query` selects the ids of the rows that break it."""

    name: str
    sentence: str
    breach_query: str


def _sql_list(words: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_ARROWS: Final = ", ".join(
    f"('{movement}', '{book}', {sign})"
    for movement, arrows in ARROWS.items()
    for arrow in arrows
    for book, sign in zip(arrow, (-1, 1), strict=True)
)
_STATUSES: Final = ", ".join(
    f"('{stage}', '{status}')" for stage, status in STATUS_AT_STAGE.items()
)
_NET_CREDITED_MINOR: Final = """
    coalesce(sum(case when t.movement in ('release', 'reinstate', 'forgive') then t.amount_minor
                      when t.movement in ('reverse', 'owe') then -t.amount_minor end), 0)
"""
_OPEN_HOLD: Final = """
    exists (select from transfers h where h.reward_id = w.id and h.movement = 'hold'
               and not exists (select from transfers r where r.resolves_hold_id = h.id))
"""

INVARIANTS: Final = (
    Invariant(
        "conservation",
        "All entries sum to zero in each currency.",
        "select currency from entries group by currency having sum(amount_minor) <> 0",
    ),
    Invariant(
        "transfers_balance",
        "Each transfer has entries of its own amount and currency that sum to zero.",
        """
        select t.id from transfers t left join entries e on e.transfer_id = t.id
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
                        group by e.transfer_id)
        select t.id from transfers t join named n using (movement)
          left join moved m on m.transfer_id = t.id
         where m.ends is distinct from n.ends
        """,
    ),
    Invariant(
        "accounts_equal_entries",
        "Each account's balance is the sum of its entries.",
        f"""
        select a.id from accounts a left join entries e on e.account_id = a.id
         where a.book not in ({_sql_list(DERIVED_BALANCE_BOOKS)})
         group by a.id having a.balance_minor <> coalesce(sum(e.amount_minor), 0)
        """,
    ),
    Invariant(
        "nothing_below_zero",
        "No account but owed and funding is below zero.",
        f"""
        select a.id from accounts a left join entries e on e.account_id = a.id
         where a.book not in ({_sql_list(MAY_BE_NEGATIVE)})
         group by a.id having least(a.balance_minor, coalesce(sum(e.amount_minor), 0)) < 0
        """,
    ),
    Invariant(
        "holds_resolve_once",
        "A release or a void resolves a hold of the same reward and amount, and no other does.",
        """
        select t.id from transfers t left join transfers h on h.id = t.resolves_hold_id
         where t.resolves_hold_id is not null
           and (h.movement, h.reward_id, h.amount_minor, h.currency)
               is distinct from ('hold', t.reward_id, t.amount_minor, t.currency)
        union
        select resolves_hold_id from transfers where resolves_hold_id is not null
         group by resolves_hold_id having count(*) > 1
        """,
    ),
    Invariant(
        "one_reward_per_side",
        "A referral has one reward of each type.",
        "select referral_id from rewards group by referral_id, reward_type having count(*) > 1",
    ),
    Invariant(
        "rewards_match_their_credits",
        "An ISSUED reward is credited exactly once, net of reversals; any other one is not.",
        f"""
        select w.id from rewards w left join transfers t on t.reward_id = w.id
         group by w.id
        having {_NET_CREDITED_MINOR} <> case w.status when 'ISSUED' then w.amount_minor else 0 end
        """,
    ),
    Invariant(
        "rewards_match_their_holds",
        "A reward is HELD exactly while money is reserved for it.",
        f"select w.id from rewards w where (w.status = 'HELD') <> {_OPEN_HOLD}",
    ),
    Invariant(
        "one_referral_per_referee",
        "A player is the referee of at most one referral that is not LOST.",
        """
        select referee_id from referrals where referee_id is not null and stage <> 'LOST'
         group by referee_id having count(*) > 1
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
        union
        select r.id from referrals r
         where r.stage in ('HELD', 'REWARDED', 'SETTLED', 'REVERSED')
           and coalesce((r.terms -> 'referrer_reward' ->> 'minor')::bigint, 0) > 0
           and not exists (select from rewards w
                            where w.referral_id = r.id and w.reward_type = 'referrer')
        """,
    ),
    Invariant(
        "timeline_tells_the_stage",
        "A referral's timeline has every step, without gaps, and ends at its stage.",
        """
        select r.id from referrals r left join timeline l on l.referral_id = r.id
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
         where o.aggregateid is distinct from l.referral_id::text
            or o.payload ->> 'stage' is distinct from l.stage
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
         where d.id is null
           and not exists (select from inbox i
                            where (i.kind, i.event_id) = (f.kind, f.event_id))
        """,
    ),
    Invariant(
        "rewards_have_their_reasons",
        "Each reward links to its deposit, its terms and its referral's assessment.",
        """
        select w.id from rewards w join referrals r on r.id = w.referral_id
          left join facts f on f.kind = 'deposit' and f.event_id = w.deposit_event_id
                           and f.player_id = r.referee_id
          left join assessments a on a.id = w.assessment_id and a.referral_id = r.id
         where f.event_id is null or a.id is null
            or w.campaign_version_id <> r.campaign_version_id
        """,
    ),
    Invariant(
        "decisions_are_signed",
        "Each decided review is in the audit with who decided it and why.",
        """
        select v.id from reviews v
          left join audit a on a.subject = 'review:' || v.id and a.actor = v.reviewer
                           and a.action = 'review.' || v.decision and a.reason <> ''
         where v.status = 'decided' and a.id is null
        """,
    ),
    Invariant(
        "bound_referrals_are_explained",
        "Each referral that a signup was bound to is in the attribution log.",
        """
        select r.id from referrals r
         where r.referee_id is not null
           and not exists (select from attributions a
                            where a.referral_id = r.id and a.player_id = r.referee_id
                              and (a.outcome in ('bound', 'rebound')
                                   or a.outcome = 'self' and a.attempt = 'signup'))
        """,
    ),
    Invariant(
        "rebinds_are_signed",
        "Each decided rebind is in the audit with two different people and their reasons.",
        """
        select b.id from rebinds b
          left join audit p on p.details ->> 'rebind_id' = b.id::text
                           and p.action = 'rebind.propose' and p.actor = b.proposed_by
          left join audit d on d.details ->> 'rebind_id' = b.id::text
                           and d.action in ('rebind.approve', 'rebind.reject')
                           and d.actor = b.decided_by and d.actor <> p.actor
         where b.status <> 'proposed' and (p.id is null or d.id is null)
        """,
    ),
    Invariant(
        "campaign_acts_are_signed",
        "Each campaign that left its draft, and each that was funded, is in the audit.",
        """
        select c.slug from campaigns c
         where (c.status <> 'draft'
                or exists (select from transfers t
                            where t.campaign_id = c.id and t.movement in ('fund', 'defund')))
           and not exists (select from audit a
                            where a.subject = 'campaign:' || c.slug
                              and a.actor <> '' and a.reason <> '')
        """,
    ),
)
