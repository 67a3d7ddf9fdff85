"""Variants and audiences in the builder's form: opened, edited, and said again."""

from dataclasses import replace

import pytest

from api.console.builder.edits import edit
from api.console.builder.opening import open_form
from api.console.builder.proposing import read_proposal
from api.console.builder.state import nest
from domain.campaigns.audience import Audience
from domain.campaigns.variants import PromisedRewards, Variant
from domain.money import Money
from referrals.campaigns.views import Draft
from tests.api.console.builder.test_builder import draft, flat, full_draft, full_rules


def draft_of_variants(base: Draft) -> Draft:
    """Return an offer with a variant of its own rewards, one of cash and one of all shapes."""
    cash = PromisedRewards(
        referrer_reward=Money(1500, "USD"), referee_reward=Money(500, "USD"), rewards=()
    )
    shapes = PromisedRewards(
        referrer_reward=Money(0, "USD"), referee_reward=None, rewards=full_rules().rewards
    )
    variants = (
        Variant(name="control", weight=20),
        Variant(name="cash", weight=50, promised=cash),
        Variant(name="shapes", weight=30, promised=shapes),
    )
    return replace(base, variants=variants)


@pytest.mark.parametrize("base", [draft(), full_draft()], ids=["plain", "full"])
def test_a_form_that_nobody_touched_says_the_variants_that_it_opened(base: Draft) -> None:
    varied = draft_of_variants(base)
    proposal = read_proposal(nest(flat(open_form(varied))), varied)
    assert (proposal.errors, proposal.draft) == ({}, varied)


def test_segments_are_typed_with_commas_and_refused_beside_their_field() -> None:
    state = open_form(draft()) | {"allow": "vip,  gold,", "deny": "staff"}
    changed = read_proposal(state, draft()).draft
    assert changed is not None
    assert changed.options.audience == Audience(allow=("gold", "vip"), deny=("staff",))
    assert open_form(changed)["allow"] == "gold, vip"
    assert read_proposal(open_form(changed), changed).draft == changed

    assert set(read_proposal(state | {"deny": "a b"}, draft()).errors) == {"deny"}


def test_buttons_add_variants_and_rewards_of_their_own() -> None:
    state = open_form(draft())

    for act in ("add variants", "add variants", "add variants.1.rewards"):
        edit(state, act)
    state["variants"][0] |= {"name": "control", "weight": "40"}
    state["variants"][1] |= {"name": "twenty", "weight": "60"}
    state["variants"][1]["rewards"][0] |= {"to": "referrer", "flat": "20.00"}

    changed = read_proposal(nest(flat(state)), draft()).draft
    assert changed is not None
    assert [(one.name, one.weight) for one in changed.variants] == [("control", 40), ("twenty", 60)]
    (control, twenty) = (one.promised for one in changed.variants)
    assert control is None
    assert twenty is not None
    assert twenty.referrer_reward == Money(2000, "USD")

    edit(state, "remove variants.1")
    assert read_proposal(state, draft()).errors == {
        "variants": "Must have weights that make 100 together"
    }


def test_what_is_wrong_in_a_variant_stands_beside_its_field() -> None:
    state = open_form(draft_of_variants(draft()))
    state["variants"][1]["rewards"][0]["flat"] = "a lot"
    assert set(read_proposal(state, draft()).errors) == {"variants.1.rewards.0.flat"}
    state = open_form(draft_of_variants(draft()))
    state["variants"][2]["weight"] = "100"
    assert set(read_proposal(state, draft()).errors) == {"variants.2.weight"}
