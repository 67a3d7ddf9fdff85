"""Corruptions of the records of retention."""

from typing import Final

from tests.referrals.verification.corruption import Corruption

_A_RECORD: Final = """
    INSERT INTO let_go (kind, since, until, rows, links, stage_changes)
    VALUES ('%s', '-infinity', now() - interval '%s', '%s', '%s', %s)
"""
_SIGNED: Final = """
    INSERT INTO audit (actor, action, subject, reason)
    VALUES ('ann', 'retention.let_go', 'retention:%s', 'a reason')
"""
_OF_DELIVERIES: Final = _A_RECORD % ("deliveries", "90 days", "{}", "{}", "null")
_NEWEST: Final = "SELECT max(id) FROM let_go"

RETENTION_CORRUPTIONS: Final = (
    Corruption("rows_are_let_go_by_retention", _NEWEST, (_OF_DELIVERIES,)),
    Corruption(
        "rows_are_let_go_by_retention",
        _NEWEST,
        (_SIGNED % "outbox", _A_RECORD % ("outbox", "59 days", "{}", "{}", "null")),
    ),
    Corruption(
        "rows_are_let_go_by_retention",
        _NEWEST,
        (_SIGNED % "outbox", _A_RECORD % ("outbox", "90 days", '{"outbox": 1}', "{}", "null")),
    ),
    Corruption(
        "let_go_referrals_are_as_recorded",
        "SELECT 0",
        (
            """
            INSERT INTO let_go_invitations (referral_id, let_go_id, expired_at, clicks)
            VALUES (:invited, 0, now(), '[]')
            """,
        ),
        frozenset({"timeline_tells_the_stage"}),
    ),
    Corruption(
        "let_go_deliveries_were_of_facts",
        "SELECT CAST(:held AS uuid)",
        (
            _SIGNED % "deliveries",
            _OF_DELIVERIES,
            """
            INSERT INTO let_go_deliveries (referral_id, let_go_id, until, facts)
            SELECT :held, max(id), now() + interval '1 day', 1 FROM let_go
            """,
        ),
        frozenset({"let_go_referrals_are_as_recorded"}),
    ),
    Corruption(
        "closed_windows_keep_their_totals",
        _NEWEST,
        (
            _SIGNED % "outbox",
            _A_RECORD % ("outbox", "90 days", "{}", "{}", "0"),
            "UPDATE timeline SET recorded_at = now() - interval '91 days' WHERE step = 1",
        ),
    ),
)
