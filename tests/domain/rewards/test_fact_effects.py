"""Effects of facts: what each does for a referral, or why it does nothing."""

import sys
from dataclasses import replace
from datetime import timedelta
from types import FrameType
from typing import Any, Final

import pytest
from hypothesis import given

from domain.campaigns.rules import QualifyingAction
from domain.intake.facts import (
    CLOCK_SKEW,
    Chargeback,
    Choice,
    Deposit,
    Fact,
    PlayerStatus,
    StatusChange,
    TakeBack,
    Wager,
)
from domain.money import Money
from domain.rewards.circumstances import NO_CIRCUMSTANCES
from domain.rewards.fact_effect import FactEffect
from domain.rewards.fact_effects import Setting, effects_of
from domain.rewards.qualification import qualification
from domain.rewards.take_backs import taken_back_minor
from tests.builders import NOW, TERMS, chargeback, decision, deposit, signup, status_change, usd
from tests.domain.strategies import FACTS, PLAYER

ENDS: Final = NOW + TERMS.deposit_window
FIRST: Final = deposit(PLAYER, at=NOW + timedelta(days=1))
LATER: Final = deposit(PLAYER, at=NOW + timedelta(days=2))
SIGNUP: Final = signup(PLAYER)


def setting(*facts: Fact, **changes: Any) -> Setting:  # noqa: ANN401 - any of its fields
    plain = Setting(
        terms=TERMS,
        referee_id=PLAYER,
        signup_event_id=SIGNUP.event_id,
        signed_up_at=NOW,
        money_facts=tuple(f for f in facts if isinstance(f, Deposit | Chargeback)),
        status_changes=tuple(f for f in facts if isinstance(f, StatusChange)),
    )
    return replace(plain, **changes)


def effects(*facts: Fact, **changes: Any) -> list[str]:  # noqa: ANN401 - as `setting` takes them
    return [str(effect) for effect in effects_of(facts, setting(*facts, **changes))]


@pytest.mark.parametrize(
    ("paid", "effect"),
    [
        (deposit(PLAYER), "qualifies"),
        (deposit(PLAYER, minor=500), "below_minimum"),
        (deposit(PLAYER, amount=Money(5000, "EUR")), "other_currency"),
        (deposit(PLAYER, at=NOW - CLOCK_SKEW), "qualifies"),
        (deposit(PLAYER, at=NOW - CLOCK_SKEW - timedelta(seconds=1)), "before_signup"),
        (deposit(PLAYER, at=ENDS), "qualifies"),
        (deposit(PLAYER, at=ENDS + timedelta(seconds=1)), "outside_window"),
    ],
)
def test_says_why_a_deposit_does_not_earn_the_reward(paid: Deposit, effect: str) -> None:
    assert effects(paid) == [effect]


def test_before_a_signup_is_bound_every_deposit_is_before_it() -> None:
    assert effects(FIRST, signed_up_at=None) == ["before_signup"]


def test_of_two_good_deposits_the_first_qualifies() -> None:
    assert effects(LATER, FIRST) == ["not_first", "qualifies"]


def test_a_deposit_reported_after_a_later_one_was_credited_comes_too_late() -> None:
    frozen = frozenset({LATER.event_id})
    assert effects(FIRST, LATER, frozen=frozen) == ["reported_too_late", "qualifies"]


def test_after_a_referral_ended_another_deposit_earns_nothing() -> None:
    taken = chargeback(FIRST)
    frozen = frozenset({FIRST.event_id})
    found = effects(FIRST, taken, LATER, frozen=frozen, has_ended=True)
    assert found == ["taken_back", "takes_back", "referral_ended"]


def test_a_deposit_taken_back_gives_way_to_the_next_one() -> None:
    assert effects(FIRST, chargeback(FIRST), LATER) == ["taken_back", "takes_back", "qualifies"]


def test_a_credited_deposit_that_is_taken_back_no_longer_counts() -> None:
    frozen = frozenset({FIRST.event_id})
    found = effects(FIRST, chargeback(FIRST, TakeBack.REFUND), LATER, frozen=frozen)
    assert found == ["taken_back", "takes_back", "not_first"]


@pytest.mark.parametrize(
    ("take", "undo"),
    [
        (TakeBack.REFUND, TakeBack.REFUND_FAILED),
        (TakeBack.CHARGEBACK, TakeBack.CHARGEBACK_WON),
    ],
)
def test_what_was_undone_gives_back(take: TakeBack, undo: TakeBack) -> None:
    taken, undone = chargeback(FIRST, take), chargeback(FIRST, undo)
    assert effects(FIRST, taken, undone) == ["qualifies", "takes_back", "gives_back"]
    assert effects(FIRST, undone) == ["qualifies", "nothing_to_give_back"]
    euros = chargeback(FIRST, undo, amount=Money(1000, "EUR"))
    assert effects(FIRST, taken, euros) == ["taken_back", "takes_back", "other_currency"]
    elsewhere = replace(undone, dispute_id="another")
    assert effects(FIRST, taken, elsewhere)[2] == "nothing_to_give_back"


def test_a_later_report_of_the_same_dispute_replaces_the_earlier_one() -> None:
    paid = deposit(PLAYER, minor=3000)
    first = chargeback(paid, amount=usd(500), dispute_id="c-1")
    total = replace(first, event_id="z", occurred_at=first.occurred_at + timedelta(1))
    assert effects(paid, first, total) == ["qualifies", "replaced", "takes_back"]
    apart = [replace(event, dispute_id=None) for event in (first, total)]
    assert effects(paid, *apart) == ["qualifies", "takes_back", "takes_back"]


def test_what_concerns_another_deposit_has_no_effect() -> None:
    small, unknown = deposit(PLAYER, minor=5), deposit(PLAYER)
    found = effects(FIRST, small, chargeback(small), chargeback(unknown))
    assert found == ["qualifies", "below_minimum", "other_deposit", "unknown_deposit"]


def test_a_players_status_matters_until_the_player_is_restored() -> None:
    excluded, verified, restored, closed, again = (
        status_change(PLAYER, status, at=NOW + timedelta(days=days))
        for days, status in enumerate(
            (
                PlayerStatus.SELF_EXCLUDED,
                PlayerStatus.VERIFIED,
                PlayerStatus.RESTORED,
                PlayerStatus.CLOSED,
                PlayerStatus.VERIFIED,
            )
        )
    )
    early = status_change("other", PlayerStatus.RESTORED)
    assert effects(excluded, verified) == ["makes_ineligible", "no_effect"]
    assert effects(early, excluded, verified, restored, closed, again) == [
        "no_effect", "restored_since", "no_effect", "restores", "makes_ineligible", "no_effect"
    ]  # fmt: skip


def test_a_signup_counts_if_it_was_the_one_that_was_bound() -> None:
    assert effects(SIGNUP, signup(PLAYER)) == ["binds", "another_signup"]


def test_wagers_count_where_the_terms_require_stakes() -> None:
    wager = Wager(event_id="w", occurred_at=NOW, player_id=PLAYER, stake=usd())
    assert effects(wager) == ["stake_not_required"]


@pytest.mark.parametrize(
    ("choice", "attempts", "effect"),
    [
        (Choice.APPROVE, 2, "approves"),
        (Choice.APPROVE, 1, "earlier_attempt"),
        (Choice.REJECT, 1, "rejects"),
        (Choice.APPROVE, None, "another_referral"),
    ],
)
def test_an_approval_counts_for_its_own_attempt(
    choice: Choice, attempts: int | None, effect: str
) -> None:
    made = decision(choice)
    decided = {made.event_id: attempts} if attempts else {}
    assert effects(made, attempt=2, decided_attempts=decided) == [effect]


def test_where_the_player_was_bound_elsewhere_only_a_status_counts() -> None:
    excluded = status_change(PLAYER)
    found = effects(SIGNUP, FIRST, excluded, is_lost=True)
    assert found == ["another_referral", "another_referral", "makes_ineligible"]


def test_every_effect_has_its_words() -> None:
    assert all(effect.text for effect in FactEffect)
    assert len({effect.text for effect in FactEffect}) == len(FactEffect)


@given(facts=FACTS)
def test_what_qualifies_is_what_earns_the_reward(facts: list[Fact]) -> None:
    earns = qualification(facts, TERMS, signed_up_at=NOW)
    found = zip(facts, effects(*facts), strict=True)
    named = {fact.event_id for fact, effect in found if effect == "qualifies"}
    assert named == set(earns.fact_ids if earns else ())


@given(facts=FACTS)
def test_facts_that_count_for_nothing_can_be_left_out(facts: list[Fact]) -> None:
    judged = zip(facts, effects_of(facts, setting(*facts)), strict=True)
    left = [fact for fact, effect in judged if effect.counts]
    whole, part = (qualification(known, TERMS, signed_up_at=NOW) for known in (facts, left))
    assert whole == part
    for paid in left:
        if isinstance(paid, Deposit):
            assert taken_back_minor(paid, facts) == taken_back_minor(paid, left)


@pytest.mark.parametrize("on", QualifyingAction)
def test_twice_as_many_facts_take_twice_the_work(on: QualifyingAction) -> None:
    few, many = (calls_for(long_history(count), on) for count in (100, 200))

    assert many < 2.5 * few


def long_history(count: int) -> list[Fact]:
    """Return facts of a player, of which none earns anything where turnover is missing."""
    paid = [deposit(PLAYER, at=NOW + timedelta(minutes=n)) for n in range(count)]
    again = [replace(one, event_id=f"again-{one.event_id}") for one in paid]
    dispute = chargeback(paid[0], dispute_id="dispute")
    disputes = [
        replace(dispute, event_id=f"{dispute.event_id}-{n}", occurred_at=NOW + timedelta(hours=n))
        for n in range(count)
    ]
    statuses = [
        status_change(PLAYER, status, at=NOW + timedelta(hours=n))
        for n in range(count)
        for status in (PlayerStatus.CLOSED, PlayerStatus.RESTORED)
    ]
    return [*paid, *again, *disputes, *statuses]


def calls_for(facts: list[Fact], on: QualifyingAction) -> int:
    """Return how many functions are called to judge facts."""
    rules = replace(TERMS.rules, on=on, turnover=usd(100))
    judged_by = setting(*facts, terms=replace(TERMS, rules=rules), circumstances=NO_CIRCUMSTANCES)
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        effects_of(facts, judged_by)
    finally:
        sys.setprofile(None)
    return calls
