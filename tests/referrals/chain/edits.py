"""Edits of an owner who switches every guard off, and the relation in which the chain sees each."""

# ruff: noqa: S608 - the statements are constants of this file alone

from typing import Final

_REWARD: Final = "(SELECT max(cast(id AS text)) FROM rewards)"
_DEPOSIT: Final = "kind = 'deposit'"

_A_CASE: Final = "00000000-0000-4000-8000-00000000000c"
STEERED: Final = (
    f"""
    INSERT INTO cases (id, kind, subject_kind, subject, number, opened_at, review_period, due_at)
    VALUES ('{_A_CASE}', 'held', 'referrer', 'a-player', 1, now(), interval '3 days', now())
    """,
    f"""
    INSERT INTO case_notes (id, case_id, author, text, at)
    VALUES ('{_A_CASE}', '{_A_CASE}', 'ann', 'a note', now())
    """,
    f"""
    UPDATE cases SET status = 'decided', decision = 'approve', decided_by = 'ann',
           reason = 'a pair', decided_at = now() WHERE id = '{_A_CASE}'
    """,
    """
    INSERT INTO rebinds (id, player_id, code, reason, proposed_by)
    SELECT gen_random_uuid(), 'a-player', code, 'a ticket', 'ann' FROM codes LIMIT 1
    """,
    "UPDATE rebinds SET status = 'rejected', decided_by = 'bob', decided_at = now()",
    "INSERT INTO switches (scope, is_off, reason, switched_by) VALUES ('all', true, 'x', 'ann')",
    """
    INSERT INTO rule_sets (version, weights, thresholds, sample_percent, campaigns, reason,
                           written_by)
    VALUES (99, '{}', '{}', 0, '{}', 'a reason', 'ann')
    """,
    "INSERT INTO rule_set_switches (role, version, switched_by) VALUES ('live', 99, 'ann')",
    """
    INSERT INTO payment_orders (id, player_id, referral_id, reward_id, kind, cycle, attempt,
                                reason, gross_minor, currency)
    SELECT gen_random_uuid(), player_id, referral_id, id, 'reward', 0, 1, 'x', amount_minor,
           currency
      FROM rewards LIMIT 1
    """,
    """
    UPDATE payment_orders SET status = 'posted', amount_minor = gross_minor,
           posted_minor = gross_minor, resolved_at = now()
    """,
)
"""Decisions, switches and payments as the application writes them."""

EDITS: Final = {
    "who decided a case": ("case_decisions", "UPDATE cases SET decided_by = 'somebody.else'"),
    "the decision of a case": ("case_decisions", "UPDATE cases SET decision = 'reject'"),
    "a note of a case deleted": ("case_notes", "DELETE FROM case_notes"),
    "who decided a rebind": ("rebind_decisions", "UPDATE rebinds SET decided_by = 'somebody'"),
    "a publication of a version": (
        "campaign_publications",
        "UPDATE campaign_publications SET published_by = 'the.cfo'",
    ),
    "who turned a switch": ("switches", "UPDATE switches SET switched_by = 'somebody.else'"),
    "a turn of a switch deleted": ("switches", "DELETE FROM switches"),
    "the live rule set": ("rule_set_switches", "UPDATE rule_set_switches SET switched_by = 'b'"),
    "the player of a payment": (
        "payment_orders",
        "UPDATE payment_orders SET player_id = 'mallory'",
    ),
    "the amount of a payment": (
        "payment_orders",
        "UPDATE payment_orders SET gross_minor = gross_minor * 2",
    ),
    "the answer of the wallet": (
        "payments",
        "UPDATE payment_orders SET posted_minor = posted_minor - 1",
    ),
    "the amount of a deposit": (
        "facts",
        f"UPDATE facts SET body = jsonb_set(body, '{{amount,minor}}', '999999') WHERE {_DEPOSIT}",
    ),
    "the time of a deposit": (
        "facts",
        f"UPDATE facts SET occurred_at = occurred_at - interval '1 year' WHERE {_DEPOSIT}",
    ),
    "the fingerprint of a fact": ("facts", "UPDATE facts SET fingerprint = repeat('0', 64)"),
    "the player of a fact": ("facts", "UPDATE facts SET player_id = 'mallory'"),
    "the reporter of a fact": ("facts", "UPDATE facts SET reported_by = 'somebody.else'"),
    "the request of a fact": ("facts", "UPDATE facts SET request_id = 'another'"),
    "the caller of a transfer": ("transfers", "UPDATE transfers SET reported_by = 'somebody'"),
    "the request of a transfer": ("transfers", "UPDATE transfers SET request_id = 'another'"),
    "the door of a fact": ("facts", "UPDATE facts SET door = 'signal' WHERE door <> 'signal'"),
    "a chargeback deleted": ("facts", "DELETE FROM facts WHERE kind = 'chargeback'"),
    "an exclusion deleted": ("facts", "DELETE FROM facts WHERE kind = 'player'"),
    "the amount of a transfer": (
        "transfers",
        "UPDATE transfers SET amount_minor = amount_minor * 2",
    ),
    "the time of a transfer": ("transfers", "UPDATE transfers SET at = at - interval '1 year'"),
    "the recorded time of a transfer": (
        "transfers",
        "UPDATE transfers SET recorded_at = recorded_at - interval '1 year'",
    ),
    "the player of a transfer": (
        "transfers",
        "UPDATE transfers SET player_id = 'mallory' WHERE player_id IS NOT NULL",
    ),
    "a transfer deleted": ("transfers", "DELETE FROM transfers WHERE movement = 'release'"),
    "the amount of an entry": ("entries", "UPDATE entries SET amount_minor = amount_minor * 2"),
    "the account of an entry": (
        "entries",
        "UPDATE entries SET account_id = (SELECT max(cast(id AS text)) FROM accounts)::uuid",
    ),
    "a score": ("assessments", "UPDATE assessments SET score = 100"),
    "the evidence of a score": (
        "assessments",
        "UPDATE assessments SET evidence = evidence || '{\"cluster\": {}}'",
    ),
    "an actor": ("audit", "UPDATE audit SET actor = 'the.cfo@book.example'"),
    "the audit of a revision deleted": (
        "audit",
        "DELETE FROM audit WHERE action LIKE 'campaign.%'",
    ),
    "the audit of a key deleted": ("audit", "DELETE FROM audit WHERE action LIKE 'key.%'"),
    "the terms of a version": (
        "campaign_versions",
        "UPDATE campaign_versions SET terms = terms || '{\"more\": 1}'",
    ),
    "the destination of a version": (
        "campaign_versions",
        "UPDATE campaign_versions SET destination = 'https://phish.example/login'",
    ),
    "the author of a version": (
        "campaign_versions",
        "UPDATE campaign_versions SET author = 'somebody.else'",
    ),
    "the end of a key": ("api_keys", "UPDATE api_keys SET expires_at = now() + interval '9 years'"),
    "the scopes of a key": ("api_keys", "UPDATE api_keys SET scopes = '{admin}'"),
    "the end of a revocation": (
        "key_revocations",
        "UPDATE api_keys SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
    ),
    "a step of the timeline": ("timeline", "UPDATE timeline SET reason = 'because'"),
    "an event of the outbox": (
        "outbox",
        "UPDATE outbox SET payload = payload || '{\"amount\": 1}'",
    ),
    "the owner of a code": ("codes", "UPDATE codes SET player_id = 'mallory-' || code"),
    "a touch": ("touches", "UPDATE touches SET code = 'MALLORY1'"),
    "the reason of an attribution": (
        "attributions",
        "UPDATE attributions SET actor = 'the.cfo', reason = 'because'",
    ),
    "the referrer of a referral": ("referrals", "UPDATE referrals SET referrer_id = 'mallory'"),
    "the terms of a referral": (
        "referrals",
        "UPDATE referrals SET terms = terms || '{\"more\": 1}'",
    ),
    "the player of a reward": ("rewards", "UPDATE rewards SET player_id = 'mallory'"),
    "the facts that earned a reward": (
        "qualification_facts",
        "DELETE FROM qualification_facts",
    ),
    "all money of one player": (
        "transfers",
        "UPDATE transfers SET player_id = 'mallory' WHERE reward_id::text = " + _REWARD,
    ),
}
"""By what is edited: the relation of the first link that differs, and the statement."""

PLANTS: Final = {
    "a transfer": (
        "transfers",
        (
            "INSERT INTO transfers (id, movement, amount_minor, currency, player_id, reference, at)"
            " VALUES (gen_random_uuid(), 'spend', 100000, 'USD', 'mallory', 'planted', now())"
        ),
    ),
    "an action": (
        "audit",
        (
            "INSERT INTO audit (actor, action, subject, reason)"
            " VALUES ('the.cfo', 'campaign.fund', 'default', 'board decision')"
        ),
    ),
    "a key": (
        "api_keys",
        (
            "INSERT INTO api_keys (id, owner, scopes, key_hash)"
            " VALUES (gen_random_uuid(), 'mallory', '{admin}', repeat('0', 64))"
        ),
    ),
}
"""Rows inserted behind the triggers, by what they are."""
