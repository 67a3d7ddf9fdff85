"""Decisions name their status, the same as in the list of them."""

import re

from tests import ROOT

DECISIONS = ROOT / "docs/decisions"
ROW = re.compile(r"^\| \[\d{4}\]\(([^)]+)\) \| .* \| (\w+).* \|$", re.MULTILINE)
STATUS = re.compile(r"# .+\n\n(?:\*\*)?Status:(?:\*\*)? (\w+)")


def test_each_decision_has_the_status_that_the_list_names() -> None:
    listed = dict(ROW.findall((DECISIONS / "README.md").read_text()))
    stated = {}
    for page in DECISIONS.glob("0*.md"):
        found = STATUS.match(page.read_text())
        stated[page.name] = found and found[1]
    assert stated == listed
