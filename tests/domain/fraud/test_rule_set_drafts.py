"""Drafts of rule sets: what changes, what stays, and the field of a change that none may have."""

from dataclasses import replace

import pytest

from domain.fraud.rule_set_drafts import CampaignRuleSets, Changes, DraftFault, draft
from domain.fraud.rule_sets import BASE

FIRST = CampaignRuleSets(base=replace(BASE, version="1"))


def drafted(
    changes: Changes | None = None,
    *,
    based_on: CampaignRuleSets = FIRST,
    campaigns: dict[str, Changes] | None = None,
    sample_percent: int | None = None,
) -> CampaignRuleSets:
    return draft(
        based_on,
        changes or Changes(),
        campaigns=campaigns or {},
        sample_percent=sample_percent,
        version="2",
    )


def test_a_draft_changes_what_is_named_and_keeps_the_rest() -> None:
    second = drafted(Changes(weights={"denied": 95}, thresholds={"review": 60}), sample_percent=5)
    assert second.base.version == "2"
    assert second.base.weights == {**BASE.weights, "denied": 95}
    assert second.base.thresholds == replace(BASE.thresholds, review=60)
    assert second.base.sample_percent == 5
    assert FIRST.base.weights == BASE.weights


def test_a_campaign_is_scored_by_its_own_changes() -> None:
    second = drafted(campaigns={"spring": Changes(thresholds={"review": 70})})
    assert second.of("spring").thresholds.review == 70
    assert second.of("spring").version == "2"
    assert second.of("autumn") == second.base


def test_a_campaigns_changes_stay_until_others_replace_them() -> None:
    second = drafted(campaigns={"spring": Changes(weights={"denied": 90})})
    third = drafted(based_on=second)
    assert third.campaigns == second.campaigns
    assert drafted(based_on=third, campaigns={"spring": Changes()}).campaigns == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (Changes(weights={"no_such_rule": 1}), "weights.no_such_rule"),
        (Changes(weights={"denied": 101}), "weights.denied"),
        (Changes(weights={"denied": -1}), "weights.denied"),
        (Changes(weights={"shared_address": 60}), "weights.shared_address"),
        (Changes(thresholds={"no_such_threshold": 1}), "thresholds.no_such_threshold"),
        (Changes(thresholds={"review": 101}), "thresholds"),
        (Changes(thresholds={"hold": 90}), "thresholds"),
        (Changes(thresholds={"hold": 1}), "thresholds"),
    ],
)
def test_a_change_that_no_rule_set_may_have_is_named(changes: Changes, path: str) -> None:
    with pytest.raises(DraftFault) as fault:
        drafted(changes)
    assert fault.value.path == path
    with pytest.raises(DraftFault) as fault:
        drafted(campaigns={"spring": changes})
    assert fault.value.path == f"campaigns.spring.{path}"
