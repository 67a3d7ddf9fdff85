"""Corruptions, at least one for each invariant."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from typing import Final

from tests.referrals.verification.audit_corruptions import AUDIT_CORRUPTIONS
from tests.referrals.verification.control_corruptions import CONTROL_CORRUPTIONS
from tests.referrals.verification.corruption import ACKNOWLEDGE, OTHER_ID, Corruption
from tests.referrals.verification.money_corruptions import MONEY_CORRUPTIONS
from tests.referrals.verification.retention_corruptions import RETENTION_CORRUPTIONS
from tests.referrals.verification.rule_corruptions import RULE_CORRUPTIONS

NOTIFY: Final = """
    INSERT INTO notifications (id, event_id, referral_id, player_id, kind, message, caused_at,
                               status)
    SELECT '{id}', gen_random_uuid(), :rewarded, {player}, 'reward_granted', '{{}}', now(),
           'handed_on'
"""
REFEREE: Final = "(SELECT referee_id FROM referrals WHERE id = :rewarded)"
EXCLUDED: Final = "(SELECT min(player_id) FROM facts WHERE kind = 'player')"
CORRUPTIONS: Final = (
    *MONEY_CORRUPTIONS,
    *AUDIT_CORRUPTIONS,
    *CONTROL_CORRUPTIONS,
    *RETENTION_CORRUPTIONS,
    *RULE_CORRUPTIONS,
    Corruption(
        "notifications_are_handed_on",
        f"SELECT '{OTHER_ID}'",
        (NOTIFY.format(id=OTHER_ID, player="'somebody'"),),
    ),
    Corruption(
        "excluded_players_are_told_nothing",
        f"SELECT '{OTHER_ID}'",
        (
            NOTIFY.format(id=OTHER_ID, player=EXCLUDED),
            f"""
            INSERT INTO notification_attempts (notification_id, at, outcome)
            VALUES ('{OTHER_ID}', now() + interval '1 hour', 'handed_on')
            """,
            f"""
            INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)
            VALUES ('{OTHER_ID}', 'notification', {EXCLUDED}, 'Notification', '{{}}')
            """,
        ),
    ),
    Corruption(
        "one_referral_per_referee",
        "SELECT referee_id FROM referrals WHERE id = :rewarded",
        (
            "DROP INDEX uq_referrals_referee_once",
            f"UPDATE referrals SET referee_id = {REFEREE} WHERE id = :held",
        ),
        frozenset(
            {
                "attempts_rest_on_facts",
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
                "UPDATE outbox SET type = 'ReferralRejected',"
                '       payload = payload || \'{"stage": "REJECTED", "type": "ReferralRejected"}\''
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
            """DELETE FROM outbox WHERE id IN (SELECT id FROM timeline
                WHERE referral_id = :rewarded AND step = 3)""",
        ),
    ),
    Corruption(
        "facts_are_delivered",
        "SELECT kind || ':' || event_id FROM facts WHERE kind = 'deposit'"
        f" AND player_id = {REFEREE}",
        ("DELETE FROM deliveries WHERE referral_id = :rewarded AND kind = 'deposit'",),
    ),
    Corruption(
        "rewards_have_their_reasons",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        ("UPDATE rewards SET assessment_id = NULL WHERE referral_id = :rewarded",),
    ),
    Corruption(
        "rewards_have_their_reasons",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        (
            (
                "UPDATE rewards SET qualification_id = (SELECT id FROM qualifications"
                " WHERE referral_id = :held) WHERE referral_id = :rewarded"
            ),
        ),
    ),
    Corruption(
        "attempts_rest_on_facts",
        "SELECT id::text FROM qualifications WHERE referral_id = :held",
        (
            (
                "UPDATE qualification_facts SET event_id = 'another' WHERE qualification_id ="
                " (SELECT id FROM qualifications WHERE referral_id = :held)"
            ),
        ),
        frozenset({"rewards_have_their_reasons"}),
    ),
    Corruption(
        "rewards_are_assessed_on_their_deposit",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        ("UPDATE assessments SET deposit_event_id = 'another' WHERE referral_id = :rewarded",),
    ),
    Corruption(
        "doubtful_credits_are_approved",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        ("UPDATE assessments SET verdict = 'review' WHERE referral_id = :rewarded",),
    ),
    Corruption(
        "doubtful_credits_are_approved",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        (
            "UPDATE assessments SET verdict = 'review' WHERE referral_id = :rewarded",
            f"""
            INSERT INTO reviews (id, referral_id, attempt, status, score, reasons, amount_minor,
                                 currency, opened_at, decision, reviewer, reason, decided_at)
            VALUES ('{OTHER_ID}', :rewarded, 2, 'decided', 50, '{{}}', 1000, 'USD',
                    now(), 'approve', 'somebody', 'another attempt', now())
            """,
            f"""
            INSERT INTO audit (actor, action, subject, reason)
            VALUES ('somebody', 'review.approve', 'review:{OTHER_ID}', 'another attempt')
            """,
        ),
    ),
    Corruption(
        "status_changes_reach_pending_rewards",
        "SELECT 'player:' || event_id || ' to ' || cast(:held as uuid) FROM facts"
        " WHERE kind = 'player'",
        (
            "DELETE FROM inbox WHERE kind = 'player'",
            (
                "UPDATE facts SET heard_at = heard_at + interval '2 minutes', player_id ="
                " (SELECT referrer_id FROM referrals WHERE id = :held) WHERE kind = 'player'"
            ),
        ),
    ),
    Corruption(
        "open_holds_are_of_waiting_referrals",
        "SELECT id::text FROM holds WHERE referral_id = :rewarded",
        (("UPDATE holds SET cleared_at = NULL, cleared_by = NULL WHERE referral_id = :rewarded"),),
    ),
    Corruption(
        "waiting_referrals_have_their_holds",
        "SELECT cast(:held as uuid)::text",
        (
            ACKNOWLEDGE.format(referral=":held"),
            "UPDATE holds SET attempt = 2 WHERE referral_id = :held",
        ),
    ),
    Corruption(
        "doubts_are_in_the_queue",
        "SELECT cast(:held as uuid)::text",
        (
            ACKNOWLEDGE.format(referral=":held"),
            "UPDATE holds SET reason = 'ineligible' WHERE referral_id = :held",
        ),
    ),
    Corruption(
        "stages_are_what_the_facts_ask_for",
        "SELECT cast(:depositing as uuid)::text",
        (ACKNOWLEDGE.format(referral=":depositing"),),
    ),
    Corruption(
        "stages_are_what_the_facts_ask_for",
        "SELECT cast(:depositing as uuid)::text",
        (
            ACKNOWLEDGE.format(referral=":depositing"),
            "UPDATE referrals SET stage = 'EXPIRED' WHERE id = :depositing",
            (
                "UPDATE timeline SET stage = 'EXPIRED' WHERE referral_id = :depositing"
                " AND stage = 'SIGNED_UP'"
            ),
            (
                "UPDATE outbox SET payload = jsonb_set(payload, '{stage}', '\"EXPIRED\"')"
                " WHERE aggregateid = cast(:depositing as uuid)::text"
                " AND type = 'ReferralSignedUp'"
            ),
        ),
    ),
    Corruption(
        "stages_are_what_the_facts_ask_for",
        "SELECT cast(:held as uuid)::text",
        (
            ACKNOWLEDGE.format(referral=":held"),
            (
                "UPDATE referrals SET signed_up_at = signed_up_at - interval '1 year'"
                " WHERE id = :held"
            ),
        ),
    ),
    Corruption(
        "nothing_is_overdue",
        "SELECT cast(:held as uuid)::text",
        (
            ACKNOWLEDGE.format(referral=":held"),
            "UPDATE referrals SET until = until - interval '1 day' WHERE id = :held",
        ),
    ),
    Corruption(
        "deferred_referrals_await_funds",
        "SELECT cast(:invited as uuid)::text",
        (
            "UPDATE referrals SET stage = 'DEFERRED' WHERE id = :invited",
            "UPDATE timeline SET stage = 'DEFERRED' WHERE referral_id = :invited",
            (
                "UPDATE outbox SET payload = jsonb_set(payload, '{stage}', '\"DEFERRED\"')"
                " WHERE aggregateid = cast(:invited as uuid)::text"
            ),
        ),
    ),
    Corruption(
        "open_reviews_are_of_held_referrals",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO reviews (id, referral_id, status, score, reasons, amount_minor, currency,
                                 opened_at)
            VALUES ('{OTHER_ID}', :rewarded, 'open', 50, '{{}}', 1000, 'USD', now())
            """,
        ),
    ),
    Corruption(
        "rewards_are_what_is_due",
        "SELECT cast(:rewarded as uuid)::text",
        (ACKNOWLEDGE.format(referral=":rewarded"),),
    ),
    Corruption(
        "rewards_are_what_is_due",
        "SELECT cast(:reversed as uuid)::text",
        (ACKNOWLEDGE.format(referral=":reversed"),),
    ),
    Corruption(
        "limits_are_kept",
        "SELECT cast(:rewarded as uuid)::text",
        (
            """
            UPDATE campaign_versions SET terms = (terms - 'signup_window') || jsonb_build_object(
                'schema', 3,
                'since_schema_2', jsonb_build_object('signup_window', terms -> 'signup_window',
                                                     'reminders', null, 'requires', '[]'::jsonb),
                'rules', jsonb_build_object(
                    'rewards', '[]'::jsonb, 'on', 'any_deposit', 'turnover', null, 'when', null,
                    'limits', '[{"of": "referrer", "per": "day", "rewards": null, "over": "defer",
                                 "amount": {"minor": 1, "currency": "USD"}}]'::jsonb))
             WHERE id = (SELECT campaign_version_id FROM referrals WHERE id = :rewarded)
            """,
            "UPDATE rewards SET counted_at = created_at WHERE referral_id = :rewarded",
        ),
    ),
    Corruption(
        "credits_went_to_eligible_players",
        "SELECT id::text FROM rewards WHERE referral_id = :rewarded",
        ("UPDATE facts SET heard_at = heard_at - interval '1 day' WHERE kind = 'player'",),
    ),
    Corruption(
        "facts_match_their_fingerprints",
        "SELECT 'signup:' || signup_event_id FROM referrals WHERE id = :held",
        (
            (
                "UPDATE facts SET body = jsonb_set(body, '{currency}', '\"EUR\"')"
                " WHERE kind = 'signup' AND player_id ="
                " (SELECT referee_id FROM referrals WHERE id = :held)"
            ),
        ),
    ),
    Corruption(
        "bound_referrals_are_explained",
        "SELECT cast(:rewarded as uuid)::text",
        ("DELETE FROM attributions WHERE referral_id = :rewarded",),
    ),
)
