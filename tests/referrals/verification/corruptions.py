"""Corruptions, at least one for each invariant, as only a superuser without triggers can plant."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from dataclasses import dataclass
from typing import Final

OTHER_ID: Final = "00000000-0000-4000-8000-000000000001"
TRANSFER: Final = """
    INSERT INTO transfers (id, movement, amount_minor, currency, player_id, reward_id, at,
                           resolves_hold_id)
    SELECT '{id}', '{movement}', w.amount_minor, w.currency, w.player_id, w.id, now(), {resolves}
      FROM rewards w WHERE w.referral_id = :rewarded
"""


@dataclass(frozen=True, slots=True)
class Corruption:
    """Statements that break an invariant, the check that must notice, and the row it must name."""

    check: str
    row_query: str
    statements: tuple[str, ...]
    also_noticed_by: frozenset[str] = frozenset()
    """Other checks that notice it as well."""


CORRUPTIONS: Final = (
    Corruption(
        "conservation",
        "SELECT 'USD'",
        ("UPDATE entries SET amount_minor = amount_minor + 1 WHERE id = 1",),
        frozenset({"transfers_balance"}),
    ),
    Corruption(
        "transfers_balance",
        f"SELECT '{OTHER_ID}'",
        (TRANSFER.format(id=OTHER_ID, movement="recover", resolves="NULL"),),
        frozenset({"transfers_follow_their_arrows"}),
    ),
    Corruption(
        "transfers_follow_their_arrows",
        "SELECT id::text FROM transfers WHERE reward_id IS NULL LIMIT 1",
        ("UPDATE transfers SET movement = 'defund' WHERE reward_id IS NULL",),
    ),
    Corruption(
        "accounts_equal_entries",
        "SELECT id::text FROM accounts WHERE book = 'available' LIMIT 1",
        ("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE book = 'available'",),
    ),
    Corruption(
        "nothing_below_zero",
        "SELECT id::text FROM accounts WHERE book = 'held' LIMIT 1",
        (
            "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_not_negative",
            "UPDATE accounts SET balance_minor = -1 WHERE book = 'held'",
        ),
        frozenset({"accounts_equal_entries"}),
    ),
    Corruption(
        "holds_resolve_once",
        "SELECT id::text FROM transfers WHERE movement = 'release' AND referral_id = :rewarded",
        (
            (
                "UPDATE transfers SET resolves_hold_id = (SELECT id FROM transfers"
                " WHERE movement = 'fund' LIMIT 1) WHERE movement = 'release'"
                " AND referral_id = :rewarded"
            ),
        ),
        frozenset({"rewards_match_their_holds"}),
    ),
    Corruption(
        "one_reward_per_side",
        "SELECT id::text FROM referrals WHERE id = :rewarded",
        (
            "ALTER TABLE rewards DROP CONSTRAINT uq_rewards_referral_id_reward_type",
            f"""
            INSERT INTO rewards (id, referral_id, reward_type, player_id, amount_minor, currency,
                                 status, deposit_event_id, campaign_version_id, assessment_id,
                                 created_at, changed_at)
            SELECT '{OTHER_ID}', referral_id, reward_type, player_id, amount_minor, currency,
                   'VOID', deposit_event_id, campaign_version_id, assessment_id, now(), now()
              FROM rewards WHERE referral_id = :rewarded
            """,
        ),
        frozenset({"stage_agrees_with_money"}),
    ),
    Corruption(
        "rewards_match_their_credits",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        (TRANSFER.format(id=OTHER_ID, movement="reinstate", resolves="NULL"),),
        frozenset({"transfers_balance", "transfers_follow_their_arrows"}),
    ),
    Corruption(
        "rewards_match_their_holds",
        "SELECT id::text FROM rewards WHERE referral_id = :held",
        ("UPDATE rewards SET status = 'DEFERRED' WHERE referral_id = :held",),
        frozenset({"stage_agrees_with_money"}),
    ),
    Corruption(
        "one_referral_per_referee",
        "SELECT referee_id FROM referrals WHERE id = :rewarded",
        (
            "DROP INDEX uq_referrals_referee_once",
            (
                "UPDATE referrals SET referee_id = (SELECT referee_id FROM referrals"
                " WHERE id = :rewarded) WHERE id = :held"
            ),
        ),
        frozenset(
            {
                "facts_are_delivered",
                "rewards_have_their_reasons",
                "bound_referrals_are_explained",
            }
        ),
    ),
    Corruption(
        "stage_agrees_with_money",
        "SELECT id::text FROM referrals WHERE id = :rewarded",
        (
            "UPDATE referrals SET stage = 'REJECTED' WHERE id = :rewarded",
            (
                "UPDATE timeline SET stage = 'REJECTED' WHERE referral_id = :rewarded"
                " AND stage = 'REWARDED'"
            ),
            (
                "UPDATE outbox SET payload = jsonb_set(payload, '{stage}', '\"REJECTED\"')"
                " WHERE aggregateid = (SELECT id::text FROM referrals WHERE id = :rewarded)"
                " AND type = 'RewardGranted'"
            ),
        ),
    ),
    Corruption(
        "timeline_tells_the_stage",
        "SELECT id::text FROM referrals WHERE id = :rewarded",
        ("DELETE FROM timeline WHERE referral_id = :rewarded AND step = 2",),
    ),
    Corruption(
        "stage_changes_are_announced",
        "SELECT id::text FROM timeline WHERE referral_id = :rewarded AND step = 3",
        (
            (
                "DELETE FROM outbox WHERE id IN (SELECT id FROM timeline"
                " WHERE referral_id = :rewarded AND step = 3)"
            ),
        ),
    ),
    Corruption(
        "facts_are_delivered",
        "SELECT kind || ':' || event_id FROM facts WHERE kind = 'deposit' AND player_id ="
        " (SELECT referee_id FROM referrals WHERE id = :rewarded)",
        ("DELETE FROM deliveries WHERE referral_id = :rewarded AND kind = 'deposit'",),
    ),
    Corruption(
        "rewards_have_their_reasons",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        ("UPDATE rewards SET assessment_id = NULL WHERE referral_id = :rewarded",),
    ),
    Corruption(
        "decisions_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO reviews (id, referral_id, status, score, reasons, amount_minor, currency,
                                 opened_at, decision, reviewer, reason, decided_at)
            VALUES ('{OTHER_ID}', :held, 'decided', 50, '{{}}', 1000, 'USD',
                    now(), 'approve', 'somebody', 'a reason', now())
            """,
        ),
    ),
    Corruption(
        "bound_referrals_are_explained",
        "SELECT cast(:rewarded as uuid)::text",
        ("DELETE FROM attributions WHERE referral_id = :rewarded",),
    ),
    Corruption(
        "rebinds_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO rebinds (id, player_id, code, reason, proposed_by, status, decided_by,
                                 decided_at)
            SELECT '{OTHER_ID}', 'a-player', code, 'a ticket', 'one', 'approved', 'two', now()
              FROM codes LIMIT 1
            """,
        ),
    ),
    Corruption(
        "campaign_acts_are_signed",
        "SELECT 'default'",
        ("DELETE FROM audit WHERE subject = 'campaign:default'",),
    ),
)
