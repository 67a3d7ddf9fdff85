"""Decisions name their status, the same as in the list of them."""

import re

from tests import ROOT

DECISIONS = ROOT / "docs/decisions"
ROW = re.compile(r"^\| \[\d{4}\]\(([^)]+)\) \| .* \| (\w+).* \|$", re.MULTILINE)
STATUS = re.compile(r"# \d{4} .+\n\n\*\*Status:\*\* (\w+)(.*?)\n\n", re.DOTALL)
LINK = re.compile(r"\]\((\d{4}-[^)]+)\)")


def test_each_decision_has_the_status_that_the_list_names() -> None:
    listed = dict(ROW.findall((DECISIONS / "README.md").read_text()))
    stated = {}
    for page in DECISIONS.glob("0*.md"):
        found = STATUS.match(page.read_text())
        stated[page.name] = found and found[1]
    assert stated == listed


def test_decisions_that_change_each_other_name_each_other() -> None:
    named = {}
    for page in DECISIONS.glob("0*.md"):
        found = STATUS.match(page.read_text())
        named[page.name] = set(LINK.findall(found[2])) if found else set()

    one_way = {(a, b) for a, others in named.items() for b in others if a not in named[b]}
    assert one_way == set()


def test_the_list_says_which_numbers_are_not_used() -> None:
    used = {int(page.name[:4]) for page in DECISIONS.glob("0*.md")}
    unused = re.findall(r"\b0\d{3}\b", (DECISIONS / "README.md").read_text().partition("\n| ")[0])

    assert set(map(int, unused)) == set(range(1, max(used) + 1)) - used
