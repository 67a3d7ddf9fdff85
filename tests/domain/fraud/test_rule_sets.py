"""Scoring of snapshots by rule sets: a row for each rule, and what the sets' bounds refuse."""

from dataclasses import replace
from typing import Any, Final

import pytest

from domain.fraud.rule import Rule, Severity
from domain.fraud.rule_sets import BASE, Outcome, RuleSet, score
from domain.fraud.rule_table import RULES, RULES_BY_NAME
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import (
    Behaviour,
    Link,
    ListHits,
    Snapshot,
    read_snapshot,
    stored_snapshot,
)
from domain.fraud.thresholds import Thresholds
from tests.domain.fraud.suspicious_snapshots import CLEAN, ROWS

VERDICTS: Final = {
    Severity.NOTE: Verdict.PASS,
    Severity.SOFT: Verdict.PASS,
    Severity.HARD: Verdict.REVIEW,
    Severity.CERTAIN: Verdict.BLOCK,
}


TOGETHER: Final = {"browser_of_idle_referrer"}
"""Rules about two signs together, each of which has a rule of its own."""


@pytest.mark.parametrize(
    ("name", "snapshot"), [row for row in ROWS.items() if row[0] not in TOGETHER]
)
def test_each_rule_hits_with_its_weight_and_its_severity(name: str, snapshot: Snapshot) -> None:
    rule = RULES_BY_NAME[name]

    assessment = score(snapshot, BASE)

    beside = {note.name for note in RULES if note.severity is Severity.NOTE} - {name}
    assert [reason for reason in assessment.reasons if reason not in beside] == [name]
    assert assessment.score == rule.weight
    assert assessment.verdict is VERDICTS[rule.severity]


def test_a_second_account_in_the_browser_of_one_that_never_deposited_is_reviewed() -> None:
    assessment = score(ROWS["browser_of_idle_referrer"], BASE)

    assert set(assessment.reasons) == {
        "shared_browser",
        "browser_of_idle_referrer",
        "referrer_never_deposited",
    }
    assert assessment.verdict is Verdict.REVIEW


def test_every_rule_has_a_row_and_a_place_in_the_base_set() -> None:
    assert set(ROWS) == set(RULES_BY_NAME)
    assert set(BASE.weights) == set(RULES_BY_NAME)


def test_what_nobody_reported_is_unknown_and_weighs_nothing() -> None:
    assessment = score(CLEAN, BASE)

    assert (assessment.score, assessment.verdict, assessment.reasons) == (0, Verdict.PASS, ())
    assert {result.rule for result in assessment.results} == set(RULES_BY_NAME)
    outcomes = {result.rule: result.outcome for result in assessment.results}
    assert outcomes["shared_device"] is Outcome.UNKNOWN
    assert outcomes["same_player"] is Outcome.MISS


def test_no_single_soft_rule_holds_a_reward_by_itself() -> None:
    soft = [rule for rule in RULES if rule.severity is Severity.SOFT]

    assert all(rule.weight < BASE.thresholds.hold for rule in soft)
    with pytest.raises(ValueError, match="must not hold a reward by itself"):
        RuleSet(version="2", weights={"shared_address": BASE.thresholds.hold})


def test_several_hits_weigh_more_than_their_sum() -> None:
    both = replace(ROWS["shared_browser"], has_similar_name=True)

    assert score(both, BASE).score > 14 + 8


@pytest.mark.parametrize(
    ("review", "verdict", "held"), [(23, Verdict.REVIEW, False), (24, Verdict.PASS, True)]
)
def test_the_middle_band_passes_after_a_hold_of_days(
    review: int, verdict: Verdict, *, held: bool
) -> None:
    doubtful = replace(ROWS["shared_browser"], behaviour=Behaviour(signup_to_deposit_s=60))
    thresholds = Thresholds(hold=23, review=review)
    weights = {"shared_browser": 14, "hasty_deposit": 8}

    assessment = score(doubtful, RuleSet(version="2", weights=weights, thresholds=thresholds))

    assert (assessment.score, assessment.verdict) == (23, verdict)
    assert assessment.hold_s == thresholds.hold_s * held


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("ip", ("shared_by_too_many",)),
        ("device_id", ("crowded_device", "shared_by_too_many")),
        ("payment_instrument", ("crowded_instrument", "shared_by_too_many")),
        ("phone", ("crowded_instrument", "shared_by_too_many")),
        ("email", ("crowded_instrument", "shared_by_too_many")),
    ],
)
def test_a_value_shared_by_too_many_links_nobody_and_says_so(
    kind: str, reasons: tuple[str, ...]
) -> None:
    crowd = Link(kind=kind, is_shared_by_too_many=True, is_crowd_shared=True)

    assessment = score(Snapshot(links=(crowd,)), BASE)

    assert (assessment.verdict, assessment.reasons) == (Verdict.PASS, reasons)


def test_a_rule_that_raises_asks_for_a_review_with_its_name() -> None:
    def fail(_: Snapshot, __: Thresholds) -> bool:
        raise ZeroDivisionError

    broken = Rule("shared_address", Severity.SOFT, 10, fail, "Broken.")

    assessment = score(CLEAN, BASE, rules=(broken,))

    assert (assessment.verdict, assessment.reasons) == (Verdict.REVIEW, ("shared_address",))
    assert assessment.results[0].outcome is Outcome.ERROR


def test_the_allow_list_silences_soft_rules_only() -> None:
    allowed = ListHits(allow=("player",))
    soft = replace(ROWS["disposable_mail"], lists=allowed)
    hard = replace(ROWS["shared_device"], lists=allowed)

    assert score(soft, BASE).score == 0
    assert score(hard, BASE).verdict is Verdict.REVIEW
    assert score(replace(hard, lists=replace(allowed, deny=("phone",))), BASE).score > 60


@pytest.mark.parametrize(("point", "verdict"), [(99, Verdict.SAMPLE), (100, Verdict.PASS)])
def test_one_in_a_hundred_that_pass_is_sampled(point: int, verdict: Verdict) -> None:
    assert score(Snapshot(sample_point=point), BASE).verdict is verdict
    doubted = replace(ROWS["shared_device"], sample_point=point)
    assert score(doubted, BASE).verdict is Verdict.REVIEW


def test_a_rule_outside_the_set_or_of_no_weight_decides_nothing() -> None:
    without = RuleSet(version="2", weights={"shared_device": 0})

    assessment = score(ROWS["shared_device"], without)

    assert (assessment.score, assessment.verdict) == (0, Verdict.PASS)
    assert [result.rule for result in assessment.results] == ["shared_device"]


@pytest.mark.parametrize(
    "fault",
    [
        {"weights": {"no_such_rule": 1}},
        {"weights": {"denied": -1}},
        {"weights": {"denied": 101}},
        {"weights": {}, "sample_percent": 101},
    ],
)
def test_refuses_rule_sets_that_cannot_be_meant(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rule|weight|percent"):
        RuleSet(version="2", **fault)


def test_thresholds_are_read_back_as_they_were_stored() -> None:
    assert Thresholds.from_stored({"hold": 30}) == Thresholds(hold=30)
    for fault in ({"no_such": 1}, {"hold": "30"}, {"hold": 60}, {"hasty_deposit_s": -1}):
        with pytest.raises(ValueError, match=r"threshold|whole number|Thresholds"):
            Thresholds.from_stored(fault)


@pytest.mark.parametrize("snapshot", [CLEAN, *ROWS.values()])
def test_a_stored_snapshot_is_read_back_the_same(snapshot: Snapshot) -> None:
    assert read_snapshot(stored_snapshot(snapshot)) == snapshot


def test_evidence_of_release_0_2_is_read_as_a_snapshot() -> None:
    stored = {
        "same_player": False,
        "same_identity": False,
        "shared_contacts": 0,
        "shared_instruments": 2,
        "shared_devices": 0,
        "shared_addresses": 1,
        "warnings": [],
        "unavailable": ["device-intelligence"],
    }

    snapshot = read_snapshot(stored)

    assert snapshot.version == 1
    assert score(snapshot, BASE).reasons[:2] == ("shared_payment_instrument", "signal_unavailable")
