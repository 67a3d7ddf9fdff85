"""What must always be true, as a table: a name, a sentence, and a query for what breaks it."""

# ruff: noqa: S608 - the queries are built from our own constants alone

from dataclasses import dataclass
from typing import Final

from domain.ledger.movements import ARROWS, DERIVED_BALANCE_BOOKS, MAY_BE_NEGATIVE


@dataclass(frozen=True, slots=True)
class Invariant:
    """`breaches` selects the ids of the rows that break it, as text in one column."""

    name: str
    sentence: str
    breaches: str


def _sql_list(words: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


_ARROWS: Final = ", ".join(
    f"('{movement}', '{book}', {sign})"
    for movement, arrows in ARROWS.items()
    for arrow in arrows
    for book, sign in zip(arrow, (-1, 1), strict=True)
)
_NET: Final = """
    coalesce(sum(CASE WHEN t.movement IN ('release', 'reinstate', 'forgive') THEN t.amount_minor
                      WHEN t.movement IN ('reverse', 'owe') THEN -t.amount_minor END), 0)
"""
_OPEN_HOLD: Final = """
    EXISTS (SELECT FROM transfers h WHERE h.reward_id = w.id AND h.movement = 'hold'
               AND NOT EXISTS (SELECT FROM transfers r WHERE r.resolves_hold_id = h.id))
"""

INVARIANTS: Final = (
    Invariant(
        "conservation",
        "All entries sum to zero in each currency.",
        "SELECT currency FROM entries GROUP BY currency HAVING sum(amount_minor) <> 0",
    ),
    Invariant(
        "transfers_balance",
        "Each transfer has entries of its own amount and currency that sum to zero.",
        """
        SELECT t.id FROM transfers t LEFT JOIN entries e ON e.transfer_id = t.id
         GROUP BY t.id
        HAVING count(e.id) = 0 OR sum(e.amount_minor) <> 0
            OR bool_or(abs(e.amount_minor) <> t.amount_minor OR e.currency <> t.currency)
        """,
    ),
    Invariant(
        "transfers_follow_their_arrows",
        "Each transfer moves money between exactly the books that its movement names.",
        f"""
        WITH arrows (movement, book, sign) AS (VALUES {_ARROWS}),
             named AS (SELECT movement, string_agg(book || sign, ',' ORDER BY book, sign) AS ends
                         FROM arrows GROUP BY movement),
             moved AS (SELECT e.transfer_id,
                              string_agg(a.book || sign(e.amount_minor)::int, ','
                                         ORDER BY a.book, sign(e.amount_minor)) AS ends
                         FROM entries e JOIN accounts a ON a.id = e.account_id
                        GROUP BY e.transfer_id)
        SELECT t.id FROM transfers t JOIN named n USING (movement)
          LEFT JOIN moved m ON m.transfer_id = t.id
         WHERE m.ends IS DISTINCT FROM n.ends
        """,
    ),
    Invariant(
        "accounts_equal_entries",
        "Each account's balance is the sum of its entries.",
        f"""
        SELECT a.id FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
         WHERE a.book NOT IN ({_sql_list(DERIVED_BALANCE_BOOKS)})
         GROUP BY a.id HAVING a.balance_minor <> coalesce(sum(e.amount_minor), 0)
        """,
    ),
    Invariant(
        "nothing_below_zero",
        "No account but owed and funding is below zero.",
        f"""
        SELECT a.id FROM accounts a LEFT JOIN entries e ON e.account_id = a.id
         WHERE a.book NOT IN ({_sql_list(MAY_BE_NEGATIVE)})
         GROUP BY a.id HAVING least(a.balance_minor, coalesce(sum(e.amount_minor), 0)) < 0
        """,
    ),
    Invariant(
        "holds_resolve_once",
        "A release or a void resolves a hold of the same reward and amount, and no other does.",
        """
        SELECT t.id FROM transfers t LEFT JOIN transfers h ON h.id = t.resolves_hold_id
         WHERE t.resolves_hold_id IS NOT NULL
           AND (h.movement, h.reward_id, h.amount_minor, h.currency)
               IS DISTINCT FROM ('hold', t.reward_id, t.amount_minor, t.currency)
        UNION
        SELECT resolves_hold_id FROM transfers WHERE resolves_hold_id IS NOT NULL
         GROUP BY resolves_hold_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "one_reward_per_side",
        "A referral has one reward of each type.",
        "SELECT referral_id FROM rewards GROUP BY referral_id, reward_type HAVING count(*) > 1",
    ),
    Invariant(
        "rewards_match_their_credits",
        "An ISSUED reward is credited exactly once, net of reversals; any other one is not.",
        f"""
        SELECT w.id FROM rewards w LEFT JOIN transfers t ON t.reward_id = w.id
         GROUP BY w.id
        HAVING {_NET} <> CASE w.status WHEN 'ISSUED' THEN w.amount_minor ELSE 0 END
        """,
    ),
    Invariant(
        "rewards_match_their_holds",
        "A reward is HELD exactly while money is reserved for it.",
        f"SELECT w.id FROM rewards w WHERE (w.status = 'HELD') <> {_OPEN_HOLD}",
    ),
    Invariant(
        "one_referral_per_referee",
        "A player is the referee of at most one referral that is not LOST.",
        """
        SELECT referee_id FROM referrals WHERE referee_id IS NOT NULL AND stage <> 'LOST'
         GROUP BY referee_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "stage_agrees_with_money",
        "A referral's rewards have the status that its stage calls for.",
        """
        WITH wanted (stage, status) AS (VALUES
            ('HELD', 'HELD'), ('REWARDED', 'ISSUED'), ('SETTLED', 'ISSUED'),
            ('REVERSED', 'REVERSED'), ('DEFERRED', 'DEFERRED'), ('VOIDED', 'VOID'),
            ('REJECTED', 'VOID'), ('UNFUNDED', 'VOID'), ('EXPIRED', 'VOID'), ('LOST', 'VOID'))
        SELECT r.id FROM referrals r LEFT JOIN rewards w ON w.referral_id = r.id
          LEFT JOIN wanted ON wanted.stage = r.stage
         WHERE w.status IS DISTINCT FROM wanted.status AND w.id IS NOT NULL
        UNION
        SELECT r.id FROM referrals r
         WHERE r.stage IN ('HELD', 'REWARDED', 'SETTLED', 'REVERSED')
           AND coalesce((r.terms -> 'referrer_reward' ->> 'minor')::bigint, 0) > 0
           AND NOT EXISTS (SELECT FROM rewards w
                            WHERE w.referral_id = r.id AND w.reward_type = 'referrer')
        """,
    ),
    Invariant(
        "timeline_tells_the_stage",
        "A referral's timeline has every step, without gaps, and ends at its stage.",
        """
        SELECT r.id FROM referrals r LEFT JOIN timeline l ON l.referral_id = r.id
         GROUP BY r.id
        HAVING count(l.id) = 0 OR min(l.step) <> 1 OR max(l.step) <> count(l.id)
            OR r.steps <> count(l.id) OR (array_agg(l.stage ORDER BY l.step DESC))[1] <> r.stage
        """,
    ),
    Invariant(
        "stage_changes_are_announced",
        "Each stage change has its event in the outbox.",
        """
        SELECT l.id FROM timeline l LEFT JOIN outbox o ON o.id = l.id
         WHERE o.aggregateid IS DISTINCT FROM l.referral_id::text
            OR o.payload ->> 'stage' IS DISTINCT FROM l.stage
        """,
    ),
    Invariant(
        "facts_are_delivered",
        "Each routed fact of a bound player has its delivery.",
        """
        SELECT f.kind || ':' || f.event_id FROM facts f
          JOIN referrals r ON r.referee_id = f.player_id AND r.stage <> 'LOST'
          LEFT JOIN deliveries d
            ON (d.referral_id, d.kind, d.event_id) = (r.id, f.kind, f.event_id)
         WHERE d.id IS NULL
           AND NOT EXISTS (SELECT FROM inbox i
                            WHERE (i.kind, i.event_id) = (f.kind, f.event_id))
        """,
    ),
    Invariant(
        "rewards_have_their_reasons",
        "Each reward links to its deposit, its terms and its referral's assessment.",
        """
        SELECT w.id FROM rewards w JOIN referrals r ON r.id = w.referral_id
          LEFT JOIN facts f ON f.kind = 'deposit' AND f.event_id = w.deposit_event_id
                           AND f.player_id = r.referee_id
          LEFT JOIN assessments a ON a.id = w.assessment_id AND a.referral_id = r.id
         WHERE f.event_id IS NULL OR a.id IS NULL
            OR w.campaign_version_id <> r.campaign_version_id
        """,
    ),
    Invariant(
        "decisions_are_signed",
        "Each decided review is in the audit with who decided it and why.",
        """
        SELECT v.id FROM reviews v
          LEFT JOIN audit a ON a.subject = 'review:' || v.id AND a.actor = v.reviewer
                           AND a.action = 'review.' || v.decision AND a.reason <> ''
         WHERE v.status = 'decided' AND a.id IS NULL
        """,
    ),
    Invariant(
        "bound_referrals_are_explained",
        "Each referral that a signup was bound to is in the attribution log.",
        """
        SELECT r.id FROM referrals r
         WHERE r.referee_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM attributions a
                            WHERE a.referral_id = r.id AND a.player_id = r.referee_id
                              AND (a.outcome IN ('bound', 'rebound')
                                   OR a.outcome = 'self' AND a.attempt = 'signup'))
        """,
    ),
    Invariant(
        "rebinds_are_signed",
        "Each decided rebind is in the audit with two different people and their reasons.",
        """
        SELECT b.id FROM rebinds b
          LEFT JOIN audit p ON p.details ->> 'rebind_id' = b.id::text
                           AND p.action = 'rebind.propose' AND p.actor = b.proposed_by
          LEFT JOIN audit d ON d.details ->> 'rebind_id' = b.id::text
                           AND d.action IN ('rebind.approve', 'rebind.reject')
                           AND d.actor = b.decided_by AND d.actor <> p.actor
         WHERE b.status <> 'proposed' AND (p.id IS NULL OR d.id IS NULL)
        """,
    ),
    Invariant(
        "campaign_acts_are_signed",
        "Each campaign that left its draft, and each that was funded, is in the audit.",
        """
        SELECT c.slug FROM campaigns c
         WHERE (c.status <> 'draft'
                OR EXISTS (SELECT FROM transfers t
                            WHERE t.campaign_id = c.id AND t.movement IN ('fund', 'defund')))
           AND NOT EXISTS (SELECT FROM audit a
                            WHERE a.subject = 'campaign:' || c.slug
                              AND a.actor <> '' AND a.reason <> '')
        """,
    ),
)
