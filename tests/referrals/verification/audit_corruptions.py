"""Corruptions of what people did, at least one for each invariant of the audit."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from typing import Final

from tests.referrals.verification.corruption import OTHER_ID, Corruption

AUDIT_CORRUPTIONS: Final = (
    Corruption(
        "tax_releases_are_signed",
        "SELECT referrer_id FROM referrals WHERE id = :rewarded",
        (
            """
            INSERT INTO tax_years (player_id, begins_on, released_at, released_by)
            SELECT referrer_id, '2026-01-01', now(), 'nobody' FROM referrals WHERE id = :rewarded
            """,
        ),
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
        "clawbacks_are_signed",
        "SELECT referral_id FROM clawbacks",
        (
            f"""
            INSERT INTO clawbacks (referral_id, case_id, decided_by, reason, at)
            VALUES (:held, '{OTHER_ID}', 'somebody', 'a reason', now())
            """,
        ),
    ),
    Corruption(
        "held_rewards_are_in_cases",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO reviews (id, referral_id, assessment_id, status, score, reasons,
                                 amount_minor, currency, opened_at)
            SELECT '{OTHER_ID}', referral_id, id, 'open', 50, '{{}}', 1000, 'USD', assessed_at
              FROM assessments WHERE referral_id = :held
            """,
            """
            UPDATE timeline SET recorded_at = recorded_at - interval '2 hours'
             WHERE referral_id = :held
            """,
        ),
    ),
    Corruption(
        "open_cases_are_attended",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO cases (id, kind, subject_kind, subject, number, opened_at, review_period,
                               due_at)
            VALUES ('{OTHER_ID}', 'held', 'referrer', 'a-player', 1, '2020-01-01Z',
                    interval '3 days', '2020-01-04Z')
            """,
        ),
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
        "rebinds_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO rebinds (id, player_id, code, reason, proposed_by, status, decided_by,
                                 decided_at)
            SELECT '{OTHER_ID}', 'a-player', code, 'a ticket', 'Ann Lee', 'approved', 'ANN  LEE',
                   now()
              FROM codes LIMIT 1
            """,
            f"""
            INSERT INTO audit (actor, action, subject, reason, details)
            SELECT actor, action, 'player:a-player', 'a ticket',
                   jsonb_build_object('rebind_id', '{OTHER_ID}')
              FROM (VALUES ('Ann Lee', 'rebind.propose'), ('ANN  LEE', 'rebind.approve'))
                AS done (actor, action)
            """,
        ),
    ),
    Corruption(
        "campaign_acts_are_signed",
        "SELECT 'default'",
        ("UPDATE campaigns SET status = 'ended' WHERE slug = 'default'",),
    ),
    Corruption(
        "versions_are_signed",
        "SELECT campaign_version_id::text FROM referrals WHERE id = :held",
        (
            (
                "UPDATE campaign_versions SET author = 'somebody-else' WHERE id ="
                " (SELECT campaign_version_id FROM referrals WHERE id = :held)"
            ),
        ),
    ),
    Corruption(
        "keys_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO api_keys (id, owner, scopes, key_hash)
            VALUES ('{OTHER_ID}', 'somebody', '{{admin}}', 'a-hash')
            """,
        ),
    ),
    Corruption(
        "fundings_are_signed",
        "SELECT t.id::text FROM transfers t JOIN referrals r USING (campaign_id)"
        " WHERE t.movement = 'fund' AND r.id = :held",
        ("UPDATE audit SET details = details - 'reference' WHERE action = 'campaign.fund'",),
    ),
    Corruption(
        "fundings_are_signed",
        "SELECT t.id::text FROM transfers t JOIN referrals r USING (campaign_id)"
        " WHERE t.movement = 'fund' AND r.id = :held",
        ("UPDATE audit SET details = jsonb_set(details, '{minor}', '1') WHERE details ? 'minor'",),
    ),
    Corruption(
        "fundings_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO transfers (id, movement, amount_minor, currency, campaign_id, reference, at)
            SELECT '{OTHER_ID}', 'fund', 700, 'USD', campaign_id, 'unsigned', now()
              FROM referrals WHERE id = :held
            """,
            f"""
            INSERT INTO entries (transfer_id, account_id, currency, amount_minor,
                                 balance_after_minor)
            SELECT '{OTHER_ID}', a.id, 'USD', case a.book when 'campaign' then 700 else -700 end,
                   case a.book when 'campaign' then a.balance_minor + 700 end
              FROM accounts a
             WHERE a.book = 'funding' and a.currency = 'USD' or a.book = 'campaign'
               and a.campaign_id = (SELECT campaign_id FROM referrals WHERE id = :held)
            """,
            """
            UPDATE accounts SET balance_minor = balance_minor + 700
             WHERE book = 'campaign'
               and campaign_id = (SELECT campaign_id FROM referrals WHERE id = :held)
            """,
        ),
    ),
)
