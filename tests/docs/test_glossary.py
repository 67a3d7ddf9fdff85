"""Reason codes in the glossary, against the code that gives them."""

import re

from domain.rewards.fact_effect import FactEffect
from tests import ROOT

ROW = re.compile(r"^\| `(\w+)` \| (yes|no) \| (.+) \|$", re.MULTILINE)


def test_the_glossary_has_every_reason_code_of_a_fact() -> None:
    page = (ROOT / "docs/glossary.md").read_text()
    written = {code: (counts == "yes", text) for code, counts, text in ROW.findall(page)}
    assert written == {str(effect): (effect.counts, effect.text) for effect in FactEffect}
