"""Corruptions of the ledger and of rewards, at least one for each of their invariants."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from typing import Final

from tests.referrals.verification.corruption import OTHER_ID, Corruption

TRANSFER: Final = """
    INSERT INTO transfers (id, movement, amount_minor, currency, campaign_id, player_id, reward_id,
                           at, resolves_hold_id)
    SELECT '{id}', '{movement}', w.amount_minor, w.currency, r.campaign_id, w.player_id, w.id,
           now(), {resolves}
      FROM rewards w JOIN referrals r ON r.id = w.referral_id WHERE r.id = :rewarded
"""

MONEY_CORRUPTIONS: Final = (
    Corruption(
        "conservation",
        "SELECT 'USD'",
        (
            (
                "UPDATE entries SET amount_minor = amount_minor + 1"
                " WHERE id = (SELECT max(e.id) FROM entries e"
                " JOIN accounts a ON a.id = e.account_id WHERE a.book = 'funding')"
            ),
        ),
        frozenset({"transfers_balance"}),
    ),
    Corruption(
        "transfers_balance",
        f"SELECT '{OTHER_ID}'",
        (TRANSFER.format(id=OTHER_ID, movement="recover", resolves="NULL"),),
        frozenset({"transfers_follow_their_arrows", "debts_stay_with_their_rewards"}),
    ),
    Corruption(
        "transfers_follow_their_arrows",
        (
            "SELECT id::text FROM transfers WHERE movement = 'defund'"
            " ORDER BY recorded_at DESC LIMIT 1"
        ),
        ("UPDATE transfers SET movement = 'defund' WHERE movement = 'fund'",),
        frozenset({"fundings_are_signed"}),
    ),
    Corruption(
        "entries_keep_to_their_owners",
        "SELECT id::text FROM transfers WHERE movement = 'release' AND referral_id = :rewarded",
        (
            (
                "UPDATE accounts SET player_id = 'somebody-else' WHERE book = 'available'"
                " AND player_id = (SELECT referrer_id FROM referrals WHERE id = :rewarded)"
            ),
        ),
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
        "debts_stay_with_their_rewards",
        "SELECT id::text FROM rewards WHERE referral_id = :recovering",
        (
            (
                "UPDATE transfers SET reward_id ="
                " (SELECT id FROM rewards WHERE referral_id = :recovering)"
                " WHERE movement = 'recover'"
            ),
        ),
        frozenset({"rewards_are_for_their_pair"}),
    ),
    Corruption(
        "players_owe_their_debts",
        "SELECT id::text FROM accounts WHERE book = 'owed' LIMIT 1",
        ("UPDATE accounts SET balance_minor = balance_minor - 1 WHERE book = 'owed'",),
        frozenset({"accounts_equal_entries"}),
    ),
    Corruption(
        "campaigns_await_their_debts",
        "SELECT id::text FROM accounts WHERE book = 'recoverable' LIMIT 1",
        ("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE book = 'recoverable'",),
        frozenset({"accounts_equal_entries"}),
    ),
    Corruption(
        "rewards_are_for_their_pair",
        "SELECT id::text FROM rewards WHERE referral_id = :held",
        ("UPDATE rewards SET player_id = 'somebody-else' WHERE referral_id = :held",),
    ),
    Corruption(
        "rewards_are_for_their_pair",
        "SELECT id::text FROM transfers WHERE movement = 'release' AND referral_id = :rewarded",
        (
            (
                "UPDATE transfers SET campaign_id = (SELECT campaign_id FROM referrals"
                " WHERE id = :held) WHERE movement = 'release' AND referral_id = :rewarded"
            ),
        ),
    ),
    Corruption(
        "rewards_are_what_was_promised",
        "SELECT id::text FROM rewards WHERE referral_id = :held",
        ("UPDATE rewards SET amount_minor = amount_minor + 1 WHERE referral_id = :held",),
        frozenset({"rewards_match_their_holds"}),
    ),
    Corruption(
        "terms_are_of_their_variant",
        "SELECT id::text FROM referrals WHERE id = :held",
        ("UPDATE referrals SET variant = 'fifteen' WHERE id = :held",),
    ),
    Corruption(
        "one_reward_per_side",
        "SELECT id::text FROM referrals WHERE id = :rewarded",
        (
            "DROP INDEX uq_rewards_side_and_kind",
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
        "payments_are_booked",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO payment_orders
                (id, player_id, referral_id, reward_id, kind, cycle, attempt, reason, gross_minor,
                 currency, status, amount_minor, posted_minor, resolved_at, booked_at)
            SELECT '{OTHER_ID}', player_id, referral_id, id, 'reward', 0, 1, 'qualified',
                   amount_minor, currency, 'posted', amount_minor, amount_minor, now(), now()
              FROM rewards WHERE referral_id = :rewarded
            """,
        ),
    ),
)
