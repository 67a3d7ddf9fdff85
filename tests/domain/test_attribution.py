"""Whom a signup belongs to."""

from uuid import uuid4

from domain.attribution import Attribution, Claim, Method, Refusal, Unattributed, attribute

INVITATION = uuid4()
TOKEN = Claim(method=Method.REFERRAL_TOKEN, code="TOKEN234", referral_id=INVITATION)
CODE = Claim(method=Method.TYPED_CODE, code="TYPED234")
FORGED = Claim(method=Method.REFERRAL_TOKEN, refusal=Refusal.FORGED_TOKEN)
UNKNOWN = Claim(method=Method.TYPED_CODE, refusal=Refusal.UNKNOWN_CODE)


def test_the_first_claim_that_holds_wins() -> None:
    won = attribute((TOKEN, CODE))
    assert isinstance(won, Attribution)
    assert (won.method, won.code, won.referral_id) == (
        Method.REFERRAL_TOKEN,
        "TOKEN234",
        INVITATION,
    )


def test_a_refused_claim_leaves_its_place_to_the_next() -> None:
    won = attribute((FORGED, CODE))
    assert isinstance(won, Attribution)
    assert won.method is Method.TYPED_CODE


def test_says_why_nobody_brought_a_player() -> None:
    assert attribute(()) == Unattributed(Refusal.NO_CLAIM)
    assert attribute((FORGED, UNKNOWN)) == Unattributed(Refusal.FORGED_TOKEN)
