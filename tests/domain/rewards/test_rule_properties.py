"""Properties of all rules together: bounds, monotony, refunds, and replays within their limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaigns.amounts.computation import most_of
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Calendar, Per
from domain.campaigns.rules import RewardKey, RewardRule, RewardType, Rules
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit, TakeBack
from domain.money import Money, RewardKind
from domain.rewards.computed import Frozen, compute_rewards, frozen_of, write_computation
from domain.rewards.due import due
from domain.rewards.qualification import qualification_of
from domain.rewards.replay import Replay, Surroundings
from domain.rewards.reward import promised_rewards
from domain.rewards.simulation import Earned, Missed
from tests.builders import NOW, TERMS, chargeback, deposit, usd
from tests.domain.campaigns.amounts.test_amounts import AMOUNTS

REFERRAL: Final = UUID(int=1)
EXAMPLES: Final = settings(max_examples=40)
KEYS: Final = [RewardKey(to, kind) for to in RewardType for kind in RewardKind]
FROZEN: Final = st.builds(
    Frozen, count=st.integers(1, 120), jurisdiction=st.sampled_from(["US-NJ", "BR", "DE", None])
)
MINOR: Final = st.integers(0, 10**7)


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    """Draw terms with rewards of any side, kind and amount, and any minimum."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
    rewards = tuple(RewardRule(to=key.to, kind=key.kind, amount=draw(AMOUNTS)) for key in keys)
    minimum = Money(draw(st.integers(0, 10**5)), "USD")
    return replace(
        TERMS, referrer_reward=usd(0), minimum_deposit=minimum, rules=Rules(rewards=rewards)
    )


def due_minor(
    terms: Terms, frozen: Frozen, facts: Sequence[Deposit | Chargeback]
) -> dict[RewardKey, int]:
    ids = [fact.event_id for fact in facts if isinstance(fact, Deposit)]
    amounts = due(qualification_of(ids, facts), terms, frozen)
    return {key: amount.minor for key, amount in amounts.items()}


@EXAMPLES
@given(all_terms(), FROZEN, MINOR)
def test_nothing_that_is_due_exceeds_its_bounds(terms: Terms, frozen: Frozen, minor: int) -> None:
    found = due_minor(terms, frozen, [deposit(minor=minor)])
    most = {rule.key: most_of(rule.amount) for rule in terms.rules.rewards}
    assert found.keys() == most.keys()
    for key, bounds in most.items():
        assert bounds is None or found[key] <= max(money.minor for money in bounds)
        assert found[key] == 0 or minor >= terms.minimum_deposit.minor


@EXAMPLES
@given(all_terms(), FROZEN, MINOR, MINOR)
def test_a_larger_deposit_is_never_due_less(
    terms: Terms, frozen: Frozen, one: int, other: int
) -> None:
    small, large = sorted((one, other))
    less = due_minor(terms, frozen, [deposit(minor=small)])
    more = due_minor(terms, frozen, [deposit(minor=large)])
    assert all(less[key] <= more[key] for key in less)


TAKEN: Final = st.lists(
    st.tuples(st.sampled_from([TakeBack.REFUND, TakeBack.CHARGEBACK]), MINOR), max_size=4
)


@EXAMPLES
@given(all_terms(), FROZEN, st.integers(1, 10**7), TAKEN)
def test_a_partial_refund_never_raises_what_is_due(
    terms: Terms, frozen: Frozen, minor: int, taken: list[tuple[TakeBack, int]]
) -> None:
    paid = deposit(minor=minor)
    facts: list[Deposit | Chargeback] = [paid]
    before = due_minor(terms, frozen, facts)
    for kind, back in taken:
        facts.append(chargeback(paid, kind, amount=usd(back)))
        after = due_minor(terms, frozen, facts)
        assert all(after[key] <= before[key] for key in before)
        before = after


@EXAMPLES
@given(all_terms(), FROZEN, MINOR)
def test_what_is_stored_is_computed_again(terms: Terms, frozen: Frozen, minor: int) -> None:
    computed = compute_rewards(terms, usd(minor), frozen)
    for one in computed.values():
        stored = write_computation(one)
        again = compute_rewards(terms, usd(minor), frozen_of(stored))
        assert stored in [write_computation(other) for other in again.values()]


@EXAMPLES
@given(all_terms(), FROZEN, MINOR)
def test_each_side_and_kind_has_a_reward_of_its_own(
    terms: Terms, frozen: Frozen, minor: int
) -> None:
    promised = promised_rewards(
        REFERRAL,
        terms,
        referrer_id="a",
        referee_id="b",
        computed=compute_rewards(terms, usd(minor), frozen),
    )
    assert len({reward.reward_id for reward in promised}) == len(promised)
    assert all(reward.amount.minor and reward.amount.currency == "USD" for reward in promised)
    players = {RewardType.REFERRER: "a", RewardType.REFEREE: "b"}
    assert all(reward.player_id == players[reward.key.to] for reward in promised)


@st.composite
def referrals(draw: st.DrawFn) -> list[Earned]:
    """Draw referrals of two referrers within a month, some of them taken back in part or whole."""
    found: list[Earned] = []
    for number in range(draw(st.integers(1, 12))):
        met_at = NOW + timedelta(hours=draw(st.integers(0, 24 * 30)))
        base = draw(st.integers(1000, 10**6))
        left = draw(st.sampled_from([base, base, base // 2, 0]))
        found.append(
            Earned(
                referral_id=str(number),
                referrer_id=draw(st.sampled_from(["one", "two"])),
                jurisdiction=draw(st.sampled_from(["US-NJ", "BR", None])),
                met_at=met_at,
                base=usd(base),
                left=usd(left),
                changed_at=met_at + timedelta(days=1) if left < base else None,
                is_due=left >= 1000,
            )
        )
    return found


LIMITS: Final = st.builds(
    Limit,
    of=st.sampled_from(LimitOf),
    per=st.sampled_from(Per),
    rewards=st.integers(1, 4),
    over=st.sampled_from(Over),
)


@EXAMPLES
@given(all_terms(), referrals(), st.lists(LIMITS, max_size=3), st.integers(0, 10**6))
def test_a_replay_keeps_to_its_budget_and_its_limits(
    terms: Terms, earned: list[Earned], limits: list[Limit], budget: int
) -> None:
    terms = replace(terms, minimum_deposit=usd(), rules=replace(terms.rules, limits=tuple(limits)))
    around = Surroundings(budgets={"USD": budget}, now=NOW + timedelta(days=400))
    replay = Replay(terms, Calendar(zone=UTC), around)
    replay.run(earned)

    assert replay.outcomes.keys() == {one.referral_id for one in earned}
    paid = {
        one.referral_id: payments
        for one in earned
        if not isinstance(payments := replay.outcomes[one.referral_id], Missed)
    }
    standing = sum(p.standing.minor for payments in paid.values() for p in payments)
    assert replay.left["USD"] == budget - standing >= 0
    for limit in limits:
        if limit.per is Per.CAMPAIGN and limit.of is LimitOf.CAMPAIGN:
            due_ids = {one.referral_id for one in earned if one.is_due}
            placed = sum(len(payments) for id_, payments in paid.items() if id_ in due_ids)
            assert placed <= (limit.rewards or 0)
