"""The tables of SECURITY.md: every point of the Top 10 has a row, and every row names a test."""

import re
from typing import Final

import pytest

from tests import ROOT

PAGE: Final = (ROOT / "SECURITY.md").read_text()
LINK: Final = re.compile(r"\]\(([^)#]+)\)")
WITHOUT_TEST: Final = {"V1 Architecture"}
"""Sections that are met by what other checks of the run hold."""


def rows_below(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


TOP_TEN: Final = rows_below("OWASP API Security Top 10 (2023)")
ASVS: Final = rows_below("OWASP ASVS 4.0.3, level 2")


def test_every_point_of_the_top_ten_has_a_row() -> None:
    assert [row[0].split()[0] for row in TOP_TEN] == [f"API{n}" for n in range(1, 11)]


def test_every_chapter_of_the_asvs_has_a_row_or_is_said_not_to_apply() -> None:
    named = {int(n) for row in ASVS for n in re.findall(r"V(\d+)", row[0])}
    assert named == set(range(1, 15)) - {12}
    assert "V12 (no uploads)" in PAGE


@pytest.mark.parametrize("row", [*TOP_TEN, *ASVS], ids=lambda row: row[0].split()[0])
def test_a_row_says_how_it_is_met_and_which_test_shows_it(row: list[str]) -> None:
    point, met, shown = row
    tests = [path for path in LINK.findall(shown) if path.startswith("tests/")]
    assert met
    assert tests or point in WITHOUT_TEST
    assert all((ROOT / path).is_file() for path in tests)
