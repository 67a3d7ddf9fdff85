"""Roles of people at the console, and what each may see and do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The work for which a person opens the console."""

    REVIEWER = "reviewer"
    MARKETER = "marketer"
    SUPPORT = "support"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """Something that a role may see or do."""

    SEE_REPORTS = "see reports"
    SEE_CASES = "see cases"
    DECIDE_CASES = "decide cases"
    SEE_REFERRALS = "see referrals"
    SEE_CAMPAIGNS = "see campaigns"
    CHANGE_CAMPAIGNS = "change campaigns"
    SEE_LEDGER = "see the ledger"
    SEE_OPERATIONS = "see operations"
    RETRY_DELIVERIES = "retry deliveries"


_P = Permission
PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.REVIEWER: frozenset({_P.SEE_REPORTS, _P.SEE_CASES, _P.DECIDE_CASES, _P.SEE_REFERRALS}),
    Role.MARKETER: frozenset({_P.SEE_REPORTS, _P.SEE_CAMPAIGNS, _P.CHANGE_CAMPAIGNS}),
    Role.SUPPORT: frozenset({_P.SEE_REFERRALS, _P.SEE_CAMPAIGNS, _P.SEE_LEDGER}),
    Role.AUDITOR: frozenset(
        {_P.SEE_REPORTS, _P.SEE_CASES, _P.SEE_REFERRALS, _P.SEE_CAMPAIGNS, _P.SEE_LEDGER,
         _P.SEE_OPERATIONS}),
    Role.ADMIN: frozenset(Permission),
}  # fmt: skip
"""Permissions of each role; nobody does what is not listed."""
