"""Kill switches: scopes in which nothing is promised and nothing is paid while one is off."""

import re
from enum import StrEnum
from typing import Final

ALL: Final = "all"
SCOPE: Final = re.compile(
    r"all|campaign:[a-z0-9][a-z0-9-]{0,62}|jurisdiction:[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII
)


class SwitchState(StrEnum):
    ON = "on"
    OFF = "off"


def scope_of_campaign(slug: str) -> str:
    return f"campaign:{slug}"


def scopes_of(*, campaign: str, jurisdiction: str | None = None) -> tuple[str, ...]:
    """Return the scopes that apply to a campaign, and to a signup in a jurisdiction.

    A country's switch holds in all of its parts.
    """
    scopes = [ALL, scope_of_campaign(campaign)]
    if jurisdiction:
        country = jurisdiction.partition("-")[0]
        scopes += [f"jurisdiction:{code}" for code in dict.fromkeys((country, jurisdiction))]
    return tuple(scopes)
