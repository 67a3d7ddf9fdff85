"""The example offers of docs/offers: what they promise in words, and the checks they pass."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from api.console.offers.differences import differences
from api.v1.campaigns.files import read_file
from api.v1.schemas.campaigns import CampaignIn
from domain.campaigns.publishing import Ceilings, publishing_faults
from referrals.campaigns.views import Draft
from tests import ROOT

OFFERS: Final = sorted((ROOT / "docs/offers").iterdir())
PROMISES: Final = (
    "To the ", "Qualifies", "Only if", "Limit ", "Variant ", "Budget", "Further budgets",
    "Only for ", "Not for ", "Helpline", "Full terms", "Held for",
)  # fmt: skip
"""Beginnings of what the page lists: who gets what, for what, and within which bounds."""
BULLET: Final = re.compile(r"^- (.+(?:\n  .+)*)", re.MULTILINE)

every_offer = pytest.mark.parametrize("offer", OFFERS, ids=lambda path: path.stem)


def draft_in(offer: Path) -> Draft:
    (body,) = read_file(offer)
    return CampaignIn.model_validate(body).to_draft()


def said_on_page(offer: Path) -> list[str]:
    page = (ROOT / "docs/campaigns.md").read_text()
    section = page.partition(f"\n### [{offer.name}](offers/{offer.name})\n")[2].partition("\n#")[0]
    return [" ".join(bullet.split()) for bullet in BULLET.findall(section)]


def test_there_are_three_examples() -> None:
    names = ["bring-a-friend.yaml", "by-place.yaml", "weekend-percentage.yaml"]
    assert [offer.name for offer in OFFERS] == names


@every_offer
def test_the_page_says_of_an_example_what_the_console_says(offer: Path) -> None:
    said = [f"{one.field}: {one.after}" for one in differences(None, draft_in(offer))]
    assert said_on_page(offer) == [one for one in said if one.startswith(PROMISES)]


@every_offer
def test_an_example_passes_the_checks_of_a_publication(offer: Path) -> None:
    ceilings = Ceilings(
        destination_hosts=frozenset({"book.example"}), reward_minor=10_000, budget_minor=2_000_000
    )
    assert publishing_faults(draft_in(offer).offer, ceilings, at=datetime.now(UTC)) == ()
