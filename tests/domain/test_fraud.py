"""The fraud rules, one row each."""

import pytest

from domain.fraud import REVIEW_FROM, RULES, Evidence, Verdict, assess

ROWS = [
    (Evidence(), Verdict.PASS, ()),
    (Evidence(same_player=True), Verdict.BLOCK, ("same_player",)),
    (Evidence(same_identity=True), Verdict.BLOCK, ("same_identity",)),
    (Evidence(shared_instruments=1), Verdict.REVIEW, ("shared_payment_instrument",)),
    (Evidence(shared_devices=2), Verdict.REVIEW, ("shared_device",)),
    (Evidence(shared_contacts=1), Verdict.REVIEW, ("shared_contact",)),
    (Evidence(warnings=("seen elsewhere",)), Verdict.REVIEW, ("outside_warning",)),
    (Evidence(unavailable=("radar",)), Verdict.REVIEW, ("signal_unavailable",)),
    (Evidence(shared_addresses=40), Verdict.PASS, ("shared_address",)),
]


@pytest.mark.parametrize(("evidence", "verdict", "reasons"), ROWS)
def test_each_rule_fires_alone(
    evidence: Evidence, verdict: Verdict, reasons: tuple[str, ...]
) -> None:
    assessment = assess(evidence)
    assert (assessment.verdict, assessment.reasons) == (verdict, reasons)


def test_every_rule_has_a_row() -> None:
    assert {rule.name for rule in RULES} == {name for _, _, names in ROWS for name in names}


def test_any_sum_of_doubts_is_for_a_person_to_judge() -> None:
    everything = Evidence(
        shared_contacts=1, shared_instruments=1, shared_devices=1, shared_addresses=1
    )
    assessment = assess(everything)
    assert assessment.verdict is Verdict.REVIEW
    assert REVIEW_FROM <= assessment.score <= 100
