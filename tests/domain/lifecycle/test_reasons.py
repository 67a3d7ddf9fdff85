"""Reason codes, and the codes of reasons that were stored as prose alone."""

import pytest

from domain.lifecycle.reasons import ReasonCode, code_of


@pytest.mark.parametrize("code", list(ReasonCode))
def test_the_prose_of_a_code_has_that_code(code: ReasonCode) -> None:
    assert code_of(code.text) is code


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("fraud: same_identity, shared_device", ReasonCode.FRAUD),
        ("the deposit was taken back while held", ReasonCode.DEPOSIT_TAKEN_BACK),
        ("the deposit was taken back while deferred", ReasonCode.DEPOSIT_TAKEN_BACK),
        ("no signup in time", ReasonCode.NO_SIGNUP),
        ("fraudulent", None),
        ("", None),
        (None, None),
    ],
)
def test_prose_of_release_0_2_has_the_code_of_its_beginning(
    reason: str | None, code: ReasonCode | None
) -> None:
    assert code_of(reason) is code
