"""The attribution log of a signup with many touches."""

import sys
from datetime import timedelta
from types import FrameType
from uuid import uuid4

from pydantic import TypeAdapter

from db.tables import AttemptRow
from domain.attribution.decision import Touch, attribute
from domain.attribution.policy import DEFAULT_POLICY, Method
from referrals.attribution.log import BOUND, AttemptKind, agrees_with_log
from tests.builders import NOW, signup


def test_twice_as_many_touches_take_twice_the_work() -> None:
    few, many = (calls_for(count) for count in (50, 100))

    assert many < 2.5 * few


def calls_for(count: int) -> int:
    """Return how many functions are called to compare a log of touches with a decision."""
    reported = signup()
    touches = [
        Touch(
            touch_id=uuid4(),
            method=Method.REFERRAL_TOKEN,
            at=NOW - timedelta(minutes=number),
            code=f"CODE{number}",
            campaign="default",
            referrer_id=f"referrer-{number}",
            referral_id=uuid4(),
        )
        for number in range(count)
    ]
    decision = attribute(reported, touches, DEFAULT_POLICY)
    plain = [TypeAdapter(Touch).dump_python(touch, mode="json") for touch in touches]
    row = AttemptRow(
        attempt=AttemptKind.SIGNUP,
        outcome=BOUND,
        touches=[one | {"won": False, "outcome": None} for one in plain],
    )
    calls = 0

    def count_call(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count_call)
    try:
        agrees_with_log(row, decision)
    finally:
        sys.setprofile(None)
    return calls
