"""The table of the API in the README, against the routes and the scopes that open them."""

import re
from collections.abc import Iterator
from typing import Final

from referrals.access.api_keys import SCOPES
from tests import ROOT
from tests.api.authorisation.rows import KEYS

README: Final = (ROOT / "README.md").read_text()
TABLE: Final = README.partition("## The API at a glance")[2].partition("\n## ")[0]
CALL: Final = re.compile(r"`(?:((?:[A-Z]+(?:, )?)+) )?((?:/|…)[^`?]*)(?:\?[^`]*)?`")
SCOPE: Final = re.compile(r"`([a-z]+(?::[a-z]+)?)`")
OF_ONE_KIND: Final = "or that of the kind alone"


def rows() -> Iterator[tuple[list[str], set[str], bool]]:
    """Yield the routes of each row with its scopes, and whether each route takes one of them."""
    for line in TABLE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and "`" in cells[1] + cells[2]:
            yield list(routes(cells[1])), set(SCOPE.findall(cells[2])), OF_ONE_KIND in cells[2]


def routes(cell: str) -> Iterator[str]:
    methods, path = "", ""
    for its_methods, its_path in CALL.findall(cell):
        methods = its_methods or methods
        path = its_path.replace("…", path.rpartition("/")[0])
        yield from (f"{method} {path}" for method in methods.split(", ") if method)


def known(route: str) -> str:
    """Return the route under the name that it has in OpenAPI: `{step}` stands for some."""
    if route in KEYS:
        return route
    patterns = {re.sub(r"\{step\}", "(pause|resume|end)", name): name for name in KEYS}
    return next((n for p, n in patterns.items() if re.fullmatch(p.replace("{", r"\{"), route)), "")


def test_every_route_that_a_key_opens_stands_beside_its_scopes() -> None:
    shown: dict[str, set[str]] = {}
    for calls, scopes, of_one_kind in rows():
        if scopes and "admin" not in scopes:
            for route in calls:
                opened_by = set(KEYS.get(known(route), "").split())
                missing = opened_by - scopes if of_one_kind else opened_by ^ scopes
                shown[known(route) or route] = missing

    assert {route: missing for route, missing in shown.items() if missing} == {}
    assert set(KEYS) - set(shown) == {"HEAD /metrics"}


def test_every_scope_is_named() -> None:
    assert {scope for _, scopes, _ in rows() for scope in scopes} == set(SCOPES)


def test_the_client_names_what_opens_a_balance() -> None:
    calls = (ROOT / "client/referrals_client/calls.py").read_text()
    (scopes,) = re.findall(r"owed amounts\.\n\n\s+Needs the scope ([^.]+)\.", calls)

    opened_by = set(KEYS["GET /v1/players/{player_id}/balance"].split())
    assert set(SCOPE.findall(scopes)) == opened_by
