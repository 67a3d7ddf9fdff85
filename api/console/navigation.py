"""Sections of the console, in the order of the navigation, and who sees each."""

from dataclasses import dataclass
from typing import Final

from referrals.access.console.roles import Permission, Role


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    address: str
    permission: Permission
    key: str
    """Pressed after `g`, it opens the section."""


SECTIONS: Final = (
    Section("Overview", "/console", Permission.SEE_REPORTS, "o"),
    Section("Review queue", "/console/cases", Permission.SEE_CASES, "q"),
    Section("Referrals", "/console/referrals", Permission.SEE_REFERRALS, "r"),
    Section("Campaigns", "/console/campaigns", Permission.SEE_CAMPAIGNS, "c"),
    Section("Ledger", "/console/ledger", Permission.SEE_LEDGER, "l"),
    Section("Operations", "/console/operations", Permission.SEE_OPERATIONS, "p"),
)
HOME: Final = {
    Role.REVIEWER: "/console/cases",
    Role.MARKETER: "/console",
    Role.SUPPORT: "/console/search",
    Role.AUDITOR: "/console/ledger",
    Role.ADMIN: "/console",
}
"""Pages at which the work of each role begins."""
