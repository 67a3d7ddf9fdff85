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
    icon: str
    """Path of its sign, in a square of 24."""
    also: tuple[str, ...] = ()
    """Addresses of its pages that do not lie below its own."""

    def has(self, path: str) -> bool:
        """Tell whether a page belongs to the section; the overview has itself alone."""
        if self.address == "/console":
            return path == self.address
        places = (self.address, *self.also)
        return any(path == place or path.startswith(f"{place}/") for place in places)


SECTIONS: Final = (
    Section(
        "Overview",
        "/console",
        Permission.SEE_REPORTS,
        "o",
        "M3 13h6V3H3zm0 8h6v-5H3zm10 0h8V11h-8zm0-18v5h8V3z",
    ),
    Section(
        "Review queue",
        "/console/cases",
        Permission.SEE_CASES,
        "q",
        "M3 12h5l2 3h4l2-3h5M5 5h14l2 7v7H3v-7z",
    ),
    Section(
        "Referrals",
        "/console/referrals",
        Permission.SEE_REFERRALS,
        "r",
        "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 9c0-4 3-6 7-6s7 2 7 6M18 7v6m3-3h-6",
        also=("/console/players",),
    ),
    Section(
        "Campaigns",
        "/console/campaigns",
        Permission.SEE_CAMPAIGNS,
        "c",
        "M4 10v4h3l8 5V5L7 10zm14-1a4 4 0 0 1 0 6",
        also=("/console/new-campaign", "/console/switches"),
    ),
    Section(
        "Ledger", "/console/ledger", Permission.SEE_LEDGER, "l", "M4 4h16v16H4zM8 9h8M8 13h8M8 17h5"
    ),
    Section(
        "Operations",
        "/console/operations",
        Permission.SEE_OPERATIONS,
        "p",
        "M3 12h4l3-8 4 16 3-8h4",
    ),
)
HOME: Final = {
    Role.REVIEWER: "/console/cases",
    Role.MARKETER: "/console",
    Role.SUPPORT: "/console/search",
    Role.AUDITOR: "/console/ledger",
    Role.ADMIN: "/console",
}
"""Pages at which the work of each role begins."""
