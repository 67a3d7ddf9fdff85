"""Corruptions of what is judged by rules of terms: stakes, and the condition of an attempt."""

from typing import Final

from tests.referrals.verification.corruption import Corruption

_A_BET: Final = """
    INSERT INTO facts (kind, event_id, player_id, occurred_at, body, fingerprint, door)
    VALUES ('wager', '{name}', 'better', '2026-03-01T12:00Z',
            '{{"stake": {{"minor": 5, "currency": "USD"}}}}',
            encode(sha256('{{"stake": {{"currency": "USD", "minor": 5}}}}'), 'hex'), 'http')
"""
_A_BETTER: Final = (
    "INSERT INTO staking_players (player_id, is_counted) VALUES ('better', true)",
    _A_BET.format(name="a-bet"),
    "INSERT INTO stake_totals VALUES ('better', 'USD', '2026-03-01', 1, 5)",
)
"""A counted player with one bet."""

_A_CONDITION: Final = """
    UPDATE referrals SET terms = (terms - 'signup_window') || jsonb_build_object(
        'schema', 3,
        'since_schema_2', jsonb_build_object('signup_window', terms -> 'signup_window'),
        'rules', '{"rewards": [], "on": "any_deposit", "turnover": null, "limits": [], "when":
                  {"not": {"field": "deposit.method", "op": "eq", "value": "card"}}}'::jsonb)
     WHERE id = :held
"""
_A_TRACE_OF_A_CARD: Final = """
    UPDATE qualifications SET condition_trace =
           '[{"path": "terms.when.not", "field": "deposit.method", "value": "card", "holds": true}]'
     WHERE referral_id = :held
"""

RULE_CORRUPTIONS: Final = (
    Corruption(
        "attempts_met_their_condition",
        "SELECT cast(:held as uuid)::text",
        (_A_CONDITION, _A_TRACE_OF_A_CARD),
    ),
    Corruption(
        "stakes_are_counted",
        "SELECT id FROM referrals WHERE id = :depositing",
        (
            """
            UPDATE referrals SET terms = terms || '{"rules": {"turnover": {"minor": 1}}}'
             WHERE id = :depositing
            """,
        ),
    ),
    *(
        Corruption("stakes_add_up", "SELECT 'better USD 2026-03-01'", (*_A_BETTER, statement))
        for statement in (
            "UPDATE stake_totals SET minor = minor + 1",
            "UPDATE stake_totals SET stakes = 2",
            "DELETE FROM stake_totals",
            "UPDATE staking_players SET is_counted = false",
            _A_BET.format(name="another"),
        )
    ),
)
