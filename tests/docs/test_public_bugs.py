"""The tests that docs/public-bugs.md names for each report."""

import ast
import re
from typing import Final

import pytest

from tests import ROOT

PAGE: Final = ROOT / "docs/public-bugs.md"
ROW: Final = re.compile(
    r"^\| (?P<number>\d+) \|(?: [^|]+ \|){3} `(?P<file>tests/\S+\.py)::(?P<test>test_\w+)` \|$",
    re.MULTILINE,
)
REPORTS: Final = 42
UNLISTED: Final = re.compile(r"\((?P<numbers>[\d, and]+)\) have no input of their own")
LINKED_ROW: Final = re.compile(
    r"^\| \[(?P<number>[^\]]+#\d+)\]\(\S+\) \|(?: [^|]+ \|){2}"
    r" `(?P<file>tests/\S+\.py)::(?P<test>test_\w+)` \|$",
    re.MULTILINE,
)
"""A report of fraud rules, which is named by its address."""
ROWS: Final = [(row["number"], row["file"], row["test"]) for row in ROW.finditer(PAGE.read_text())]
LINKED_ROWS: Final = [
    (row["number"], row["file"], row["test"]) for row in LINKED_ROW.finditer(PAGE.read_text())
]


def test_every_report_is_a_row_or_is_named_as_left_out() -> None:
    left_out = UNLISTED.search(PAGE.read_text())
    assert left_out is not None
    numbers = [int(number) for number, _, _ in ROWS]
    numbers += [int(number) for number in re.findall(r"\d+", left_out["numbers"])]
    assert sorted(numbers) == list(range(1, REPORTS + 1))


def test_the_page_counts_its_rows() -> None:
    page = PAGE.read_text()
    results = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", page, re.MULTILINE)
    not_tried = {int(number) for number, was in results if was.startswith("not tried")}
    held = {
        int(number) for number, was in results if re.search("within bounds|no leak|no harm", was)
    }
    counted = re.search(
        r"the (\d+) rows below (\d+) failed there; \d+ did not \(([^)]+)\),"
        r" and \d+ were not tried \(([^)]+)\)",
        page,
    )

    assert counted is not None
    assert (int(counted[1]), int(counted[2])) == (
        len(results),
        len(results) - len(held) - len(not_tried),
    )
    assert set(map(int, re.findall(r"\d+", counted[3]))) == held
    assert set(map(int, re.findall(r"\d+", counted[4]))) == not_tried


def test_every_linked_report_is_a_row() -> None:
    assert len(LINKED_ROWS) == PAGE.read_text().count("\n| [")


@pytest.mark.parametrize(("number", "file", "test"), [*ROWS, *LINKED_ROWS])
def test_the_test_of_a_report_exists(number: str, file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    names = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert test in names, f"of report {number}"
