"""Fraud rules, one row each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fraud.rules import RULES, Assessment, Evidence, Verdict, assess

ROWS = [
    (Evidence(same_player=True), 100, Verdict.BLOCK, "same_player"),
    (Evidence(same_identity=True), 100, Verdict.BLOCK, "same_identity"),
    (Evidence(shared_instruments=1), 70, Verdict.REVIEW, "shared_payment_instrument"),
    (Evidence(shared_devices=1), 60, Verdict.REVIEW, "shared_device"),
    (Evidence(shared_contacts=1), 60, Verdict.REVIEW, "shared_contact"),
    (Evidence(warnings=("device-intelligence",)), 60, Verdict.REVIEW, "outside_warning"),
    (Evidence(unavailable=("device-intelligence",)), 50, Verdict.REVIEW, "signal_unavailable"),
    (Evidence(shared_addresses=50), 10, Verdict.PASS, "shared_address"),
]
COUNTS = st.integers(0, 3)
NAMES = st.lists(st.sampled_from(["one", "two"])).map(tuple)
EVIDENCE = st.builds(
    Evidence,
    same_player=st.booleans(),
    same_identity=st.booleans(),
    shared_contacts=COUNTS,
    shared_instruments=COUNTS,
    shared_devices=COUNTS,
    shared_addresses=COUNTS,
    warnings=NAMES,
    unavailable=NAMES,
)


@pytest.mark.parametrize(("evidence", "score", "verdict", "reason"), ROWS)
def test_each_rule_gives_its_score_verdict_and_reason(
    evidence: Evidence, score: int, verdict: Verdict, reason: str
) -> None:
    assert assess(evidence) == Assessment(score, verdict, (reason,))


def test_every_rule_has_a_row() -> None:
    assert {reason for *_, reason in ROWS} == {rule.name for rule in RULES}


def test_no_evidence_is_no_suspicion() -> None:
    assert assess(Evidence()) == Assessment(0, Verdict.PASS, ())


@given(EVIDENCE)
def test_only_a_certainty_blocks_and_doubts_never_pass(evidence: Evidence) -> None:
    assessment = assess(evidence)
    certain = evidence.same_player or evidence.same_identity

    assert (assessment.verdict is Verdict.BLOCK) == certain
    assert 0 <= assessment.score <= 100
    assert (assessment.verdict is Verdict.PASS) == (assessment.score < 50 and not certain)
