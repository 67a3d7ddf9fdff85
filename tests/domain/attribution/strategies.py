"""Touches and policies as hypothesis draws them."""

from datetime import timedelta

from hypothesis import strategies as st

from domain.attribution.decision import Touch
from domain.attribution.policy import Method, Pick, Policy, Refusal, Tier
from tests.builders import NOW

HOUR = timedelta(hours=1)
TIMES = st.sampled_from([NOW - 48 * HOUR, NOW - HOUR, NOW + HOUR, NOW + 48 * HOUR])
FEW_METHODS = [Method.MANUAL, Method.TYPED_CODE, Method.REFERRAL_TOKEN, Method.COOKIE]
TOUCHES = st.lists(
    st.builds(
        Touch,
        touch_id=st.uuids(),
        method=st.sampled_from(FEW_METHODS) | st.sampled_from(Method),
        at=st.just(NOW - HOUR) | TIMES,
        code=st.sampled_from(["ANN", "BOB"]),
        campaign=st.sampled_from(["spring", "summer", None]),
        referrer_id=st.sampled_from(["ann", "bob", "friend"]),
        referral_id=st.none() | st.uuids(),
        is_presented=st.booleans(),
        refusal=st.none()
        | st.none()
        | st.sampled_from([Refusal.FORGED_TOKEN, Refusal.UNCONFIRMED, Refusal.CAMPAIGN_ENDED]),
    ),
    max_size=6,
    unique_by=lambda one: one.touch_id,
)
TIERS = st.builds(
    Tier,
    methods=st.lists(
        st.sampled_from(FEW_METHODS[1:]) | st.sampled_from(Method),
        min_size=1,
        max_size=4,
        unique=True,
    ).map(tuple),
    touch=st.sampled_from(Pick),
    window=st.none() | st.sampled_from([HOUR / 2, 2 * HOUR, 72 * HOUR]),
)
POLICIES = st.builds(
    Policy,
    order=st.lists(TIERS, min_size=1, max_size=4).map(tuple),
    claim_grace=st.sampled_from([HOUR / 2, 24 * HOUR, 72 * HOUR]),
)
