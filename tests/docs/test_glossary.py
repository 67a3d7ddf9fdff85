"""Reason codes in the glossary and the runbook, against the code that gives them."""

import re

from domain.attribution.policy import Refusal
from domain.rewards.fact_effect import FactEffect
from tests import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (yes|no) \| (.+) \|$", re.MULTILINE)


def test_the_glossary_has_every_reason_code_of_a_fact() -> None:
    page = (ROOT / "docs/glossary.md").read_text()
    written = {code: (counts == "yes", text) for code, counts, text in ROW.findall(page)}
    assert written == {str(effect): (effect.counts, effect.text) for effect in FactEffect}


def test_the_runbook_has_every_outcome_of_a_signup_that_was_attributed_to_nobody() -> None:
    page = (ROOT / "docs/runbook.md").read_text()
    section = page.partition("## Nobody was attributed")[2].partition("\n## ")[0]
    outcomes = "\n".join(line.split("|")[1] for line in section.splitlines() if line[:1] == "|")
    assert {each for each in Refusal if f"`{each}`" not in outcomes} == set()
