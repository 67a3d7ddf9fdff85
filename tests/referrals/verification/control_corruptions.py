"""Corruptions of what steers money, as the application's own role could write them."""

# ruff: noqa: S608 - the statements are built from our own constants alone

from typing import Final

from tests.referrals.verification.corruption import OTHER_ID, Corruption

_VERSION_OF_A_THIEF: Final = (
    """
    INSERT INTO campaign_versions (id, campaign_id, version, name, destination, budget_minor,
                                   terms, author)
    SELECT gen_random_uuid(), campaign_id, 99, name, 'https://phish.example/', budget_minor,
           terms, 'the.marketer'
      FROM campaign_versions
     WHERE id = (SELECT campaign_version_id FROM referrals WHERE id = :held)
    """,
    """
    INSERT INTO audit (actor, action, subject, reason, details)
    SELECT 'the.marketer', 'campaign.revise', 'campaign:' || c.slug, 'a reason', '{"version": 99}'
      FROM campaigns c JOIN referrals r ON r.campaign_id = c.id WHERE r.id = :held
    """,
    """
    UPDATE campaigns SET version = 99
     WHERE id = (SELECT campaign_id FROM referrals WHERE id = :held)
    """,
)
_SLUG: Final = """
    SELECT c.slug FROM campaigns c JOIN referrals r ON r.campaign_id = c.id WHERE r.id = :held
"""
_A_PERSON: Final = f"INSERT INTO people (id, person, name) VALUES ('{OTHER_ID}', 'mal', 'Mal')"
_A_SESSION: Final = f"""
    INSERT INTO console_sessions (token_hash, person_id, role, expires_at)
    VALUES (repeat('0', 64), '{OTHER_ID}', 'admin', now() + interval '1 day')
"""
_SIGN_IN: Final = f"""
    INSERT INTO audit (actor, action, subject, reason, details, at)
    VALUES ('Mal', 'console.sign_in', 'person:{OTHER_ID}', 'signed in by a link',
            '{{"role": "%s"}}', now() - interval '%s')
"""
_AN_ENTRY: Final = f"""
    INSERT INTO list_entries (id, list_name, kind, value, reason, added_by)
    VALUES ('{OTHER_ID}', 'allow', 'player', 'mallory', 'a reason', 'ann')
"""
_ADDED: Final = f"""
    INSERT INTO audit (actor, action, subject, reason, details)
    VALUES ('ann', 'list.add', 'list-entry:{OTHER_ID}', 'a reason', '{{"list": "%s"}}')
"""
_RULE_SETS: Final = tuple(
    f"""
    INSERT INTO rule_sets (version, weights, thresholds, sample_percent, campaigns, reason,
                           written_by)
    VALUES ({version}, '{{}}', '{{}}', 0, '{{}}', 'a reason', 'ann') ON CONFLICT DO NOTHING
    """
    for version in (1, 99)
)
_IS_LIVE: Final = "INSERT INTO rule_set_switches (role, version, switched_by) VALUES ('live', %s)"
_LIVE_SWITCH: Final = "SELECT max(id) FROM rule_set_switches"
_TURN: Final = """
    INSERT INTO switches (scope, is_off, reason, switched_by) VALUES ('all', %s, 'a reason', 'ann')
"""
_TURNED: Final = """
    INSERT INTO audit (actor, action, subject, reason)
    VALUES ('ann', 'switch.off', 'switch:all', 'a reason')
"""
_RATES: Final = f"""
    INSERT INTO rate_tables (id, as_of, source, base, rates, currencies, written_by, written_at)
    VALUES ('{OTHER_ID}', now(), 'a bank', 'USD', '{{"EUR": "0.01"}}', '{{EUR,USD}}', 'ann', now())
"""
_OTHER_RATES: Final = """
    INSERT INTO audit (actor, action, subject, reason, details)
    VALUES ('ann', 'rates.write', 'rates:USD', 'a reason',
            '{"source": "a bank", "rates": {"EUR": "0.92"}}')
"""

_ORDER: Final = f"""
    INSERT INTO payment_orders (id, player_id, referral_id, reward_id, kind, cycle, attempt, reason,
                                gross_minor, currency)
    SELECT '{OTHER_ID}', %s, referral_id, id, 'reward', 0, %s, 'because', %s, currency
      FROM rewards WHERE referral_id = :rewarded
"""
_REWARD: Final = "SELECT id FROM rewards WHERE referral_id = :rewarded"
_LET_GO: Final = """
    UPDATE facts SET body = body - 'referral_token', fingerprint = 'erased', let_go_at = %s
     WHERE kind = 'signup'
       AND player_id = (SELECT referee_id FROM referrals WHERE id = :held)
"""
_LET_GO_FACT: Final = "SELECT 'signup:' || signup_event_id FROM referrals WHERE id = :held"
_BY_RETENTION: Final = """
    INSERT INTO audit (actor, action, subject, reason)
    VALUES ('ann', 'retention.let_go', 'retention:facts', 'a reason')
"""

CONTROL_CORRUPTIONS: Final = (
    Corruption(
        "granted_rewards_are_stage_changes",
        f"SELECT '{OTHER_ID}'",
        (
            f"""
            INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload)
            SELECT '{OTHER_ID}', aggregatetype, aggregateid, 'RewardGranted', payload
              FROM outbox WHERE aggregateid = cast(cast(:held as uuid) as text) LIMIT 1
            """,
        ),
    ),
    Corruption(
        "payments_are_of_their_rewards",
        f"SELECT '{OTHER_ID}'",
        (_ORDER % ("'mallory'", 1, "amount_minor"),),
    ),
    Corruption(
        "payments_are_of_their_rewards",
        f"SELECT '{OTHER_ID}'",
        (_ORDER % ("player_id", 1, "amount_minor + 1"),),
    ),
    Corruption(
        "payments_are_of_their_rewards",
        _REWARD,
        (
            _ORDER % ("player_id", 1, "amount_minor"),
            _ORDER.replace(f"'{OTHER_ID}'", "gen_random_uuid()") % ("player_id", 2, "amount_minor"),
        ),
    ),
    Corruption(
        "facts_are_let_go_by_retention",
        _LET_GO_FACT,
        (_LET_GO % "now() + interval '90 days'",),
    ),
    Corruption(
        "facts_are_let_go_by_retention",
        _LET_GO_FACT,
        (_BY_RETENTION, _LET_GO % "now()"),
    ),
    Corruption(
        "facts_are_let_go_by_retention",
        _LET_GO_FACT,
        (
            _BY_RETENTION,
            "UPDATE facts SET heard_at = heard_at - interval '90 days' WHERE kind = 'signup'",
            "UPDATE attributions SET decided_at = decided_at - interval '1 day'",
            _LET_GO % "now()",
        ),
    ),
    Corruption(
        "facts_are_let_go_by_retention",
        _LET_GO_FACT,
        (_LET_GO % "null",),
        frozenset({"facts_match_their_fingerprints"}),
    ),
    Corruption("live_versions_are_published", _SLUG, _VERSION_OF_A_THIEF),
    Corruption(
        "live_versions_are_published",
        _SLUG,
        (
            *_VERSION_OF_A_THIEF,
            """
            INSERT INTO campaign_publications (campaign_id, version, published_by)
            SELECT campaign_id, 99, 'the.cfo' FROM referrals WHERE id = :held
            """,
        ),
    ),
    Corruption(
        "live_versions_are_published",
        "SELECT 'default'",
        ("UPDATE campaigns SET ends_at = now() + interval '9 years' WHERE slug = 'default'",),
    ),
    Corruption("switches_are_signed", "SELECT max(id) FROM switches", (_TURN % "true",)),
    Corruption(
        "switches_are_signed",
        "SELECT max(id) FROM switches",
        (_TURN % "true", _TURNED, _TURN % "false"),
    ),
    Corruption(
        "switches_are_signed",
        "SELECT max(id) FROM switches",
        (_TURN % "true", _TURNED, _TURN % "true"),
    ),
    Corruption(
        "live_rule_sets_are_signed", _LIVE_SWITCH, (*_RULE_SETS, _IS_LIVE % "99, 'service'")
    ),
    Corruption("live_rule_sets_are_signed", _LIVE_SWITCH, (*_RULE_SETS, _IS_LIVE % "1, 'ann'")),
    Corruption("rates_are_signed", f"SELECT '{OTHER_ID}'", (_RATES,)),
    Corruption("rates_are_signed", f"SELECT '{OTHER_ID}'", (_RATES, _OTHER_RATES)),
    Corruption("list_entries_are_signed", f"SELECT '{OTHER_ID}'", (_AN_ENTRY,)),
    Corruption("list_entries_are_signed", f"SELECT '{OTHER_ID}'", (_AN_ENTRY, _ADDED % "deny")),
    Corruption(
        "list_entries_are_signed",
        f"SELECT '{OTHER_ID}'",
        (
            _AN_ENTRY,
            _ADDED % "allow",
            "UPDATE list_entries SET removed_at = now(), removed_by = 'ann'",
        ),
    ),
    Corruption("sessions_are_signed", f"SELECT 'person:{OTHER_ID}'", (_A_PERSON, _A_SESSION)),
    Corruption(
        "sessions_are_signed",
        f"SELECT 'person:{OTHER_ID}'",
        (_A_PERSON, _A_SESSION, _SIGN_IN % ("admin", "1 day")),
    ),
    Corruption(
        "sessions_are_signed",
        f"SELECT 'person:{OTHER_ID}'",
        (_A_PERSON, _A_SESSION, _SIGN_IN % ("auditor", "0")),
    ),
)
