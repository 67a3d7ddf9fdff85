"""To which referral a signup belongs."""

from uuid import uuid4

import pytest

from domain.attribution import Attribution, Claim, Method, Refusal, Unattributed, attribute

REFERRAL = uuid4()
TOKEN = Claim(method=Method.REFERRAL_TOKEN, code="ANN", referral_id=REFERRAL)
TYPED = Claim(method=Method.TYPED_CODE, code="BOB")
FORGED = Claim(method=Method.REFERRAL_TOKEN, refusal=Refusal.FORGED_TOKEN)
UNKNOWN = Claim(method=Method.TYPED_CODE, refusal=Refusal.UNKNOWN_CODE)
BY_TOKEN = Attribution(
    method=Method.REFERRAL_TOKEN, confidence=1.0, code="ANN", referral_id=REFERRAL
)
BY_CODE = Attribution(method=Method.TYPED_CODE, confidence=1.0, code="BOB", referral_id=None)


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ((), Unattributed(Refusal.NO_CLAIM)),
        ((TOKEN,), BY_TOKEN),
        ((TYPED,), BY_CODE),
        ((TOKEN, TYPED), BY_TOKEN),
        ((FORGED, TYPED), BY_CODE),
        ((FORGED, UNKNOWN), Unattributed(Refusal.FORGED_TOKEN)),
        ((UNKNOWN,), Unattributed(Refusal.UNKNOWN_CODE)),
    ],
)
def test_the_first_claim_that_holds_wins(
    claims: tuple[Claim, ...], verdict: Attribution | Unattributed
) -> None:
    assert attribute(claims) == verdict
