"""Kill switches: scopes in which nothing is promised and nothing is paid while one is off."""

import re
from enum import StrEnum
from typing import Final

from domain.jurisdictions import canonical, country_of, spellings_in_capitals

ALL: Final = "all"
SCOPE: Final = re.compile(
    r"all|campaign:[a-z0-9][a-z0-9-]{0,62}|jurisdiction:[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII
)
_JURISDICTION: Final = "jurisdiction:"


class SwitchState(StrEnum):
    ON = "on"
    OFF = "off"


def scope_of_campaign(slug: str) -> str:
    return f"campaign:{slug}"


def scopes_of(*, campaign: str, jurisdiction: str | None = None) -> tuple[str, ...]:
    """Return the scopes that apply to a campaign, and to a signup in a jurisdiction.

    A country's switch holds in all of its parts, in whatever spelling they are reported. One that
    an earlier release turned under an alias holds as well.
    """
    scopes = [ALL, scope_of_campaign(campaign)]
    if jurisdiction:
        codes = (country_of(jurisdiction), jurisdiction)
        named = [name for code in codes for name in spellings_in_capitals(code)]
        scopes += [f"{_JURISDICTION}{name}" for name in dict.fromkeys(named)]
    return tuple(scopes)


def code_instead_of_alias(scope: str, state: SwitchState) -> str | None:
    """Return the scope to turn off instead of one that names a country by an alias, if it does.

    On again, such a scope can be turned: an earlier release may have turned it off.
    """
    if state is SwitchState.ON or not scope.startswith(_JURISDICTION):
        return None
    meant = f"{_JURISDICTION}{canonical(scope.removeprefix(_JURISDICTION))}"
    return None if meant == scope else meant
