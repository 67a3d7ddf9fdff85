"""Messages that events give, to whom, and what they never contain."""

from dataclasses import fields, replace
from typing import Final

import pytest

from domain.lifecycle.referral import EVENT_TYPES
from domain.money import Money, RewardKind
from domain.notifications.messages import (
    Audience,
    Kind,
    Message,
    OwnReward,
    ReferralEvent,
    messages_of,
)

REFERRER_REWARD: Final = OwnReward(player_id="ann", amount=Money(1000, "USD"))
REFEREE_REWARD: Final = OwnReward(player_id="bob", amount=Money(500, "USD"))
EVENT: Final = ReferralEvent(
    type="RewardGranted",
    referrer_id="ann",
    referee_id="bob",
    rewards=(REFERRER_REWARD, REFEREE_REWARD),
)


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("RewardHeld", Kind.REWARD_HELD),
        ("RewardGranted", Kind.REWARD_GRANTED),
        ("RewardDeferred", Kind.REWARD_DEFERRED),
        ("RewardReversed", Kind.REWARD_REVERSED),
        ("RewardReinstated", Kind.REWARD_REINSTATED),
    ],
)
def test_each_player_hears_of_their_own_reward(event_type: str, kind: Kind) -> None:
    to_referrer, to_referee = messages_of(replace(EVENT, type=event_type))

    assert (to_referrer.player_id, to_referrer.audience) == ("ann", Audience.REFERRER)
    assert (to_referee.player_id, to_referee.audience) == ("bob", Audience.REFEREE)
    assert to_referrer.kind is to_referee.kind is kind
    assert to_referrer.amounts == (Money(1000, "USD"),)
    assert to_referee.amounts == (Money(500, "USD"),)


def test_a_player_without_a_reward_hears_nothing_of_it() -> None:
    (message,) = messages_of(replace(EVENT, rewards=(REFERRER_REWARD,)))
    assert message.player_id == "ann"


def test_a_reward_that_waits_for_the_wallet_alone_is_no_message() -> None:
    event = replace(EVENT, type="RewardHeld", reason_code="payment_pending")
    assert list(messages_of(event)) == []


def test_nothing_that_was_taken_back_is_no_message() -> None:
    nothing = replace(REFEREE_REWARD, amount=Money(0, "USD"))
    event = replace(EVENT, type="RewardReversed", rewards=(REFERRER_REWARD, nothing))
    assert [message.player_id for message in messages_of(event)] == ["ann"]


def test_two_rewards_of_a_player_are_one_message() -> None:
    euros = OwnReward(player_id="ann", amount=Money(300, "EUR"))
    rewards = (REFERRER_REWARD, euros, REFERRER_REWARD)
    (message,) = messages_of(replace(EVENT, rewards=rewards))
    assert message.amounts == (Money(300, "EUR"), Money(2000, "USD"))


def test_bonus_bets_are_told_apart_from_cash() -> None:
    bonus = OwnReward(player_id="ann", amount=Money(500, "USD"), kind=RewardKind.BONUS_BET)
    (message,) = messages_of(replace(EVENT, rewards=(REFERRER_REWARD, bonus)))
    assert message.amounts == (Money(1500, "USD"),)
    assert message.cash == (Money(1000, "USD"),)
    assert message.bonuses == (Money(500, "USD"),)

    (alone,) = messages_of(replace(EVENT, rewards=(bonus,)))
    assert (alone.cash, alone.bonuses) == ((), (Money(500, "USD"),))


def test_the_referrer_alone_hears_of_the_signup() -> None:
    (message,) = messages_of(replace(EVENT, type="ReferralSignedUp"))
    assert message == Message(
        kind=Kind.FRIEND_SIGNED_UP, player_id="ann", audience=Audience.REFERRER
    )


def test_whoever_followed_their_own_code_hears_of_no_friend() -> None:
    assert messages_of(replace(EVENT, type="ReferralSignedUp", referee_id="ann")) == ()


def test_of_a_held_reward_only_the_hold_period_is_told_apart() -> None:
    codes = ("hold_period", "review", "ineligible", "payment_refused", None)
    held = [messages_of(replace(EVENT, type="RewardHeld", reason_code=code))[0] for code in codes]
    assert [message.in_hold_period for message in held] == [True, False, False, False, False]


def test_all_other_events_cause_no_message() -> None:
    told = {
        "ReferralSignedUp",
        "RewardHeld",
        "RewardGranted",
        "RewardDeferred",
        "RewardReversed",
    }
    others = {*EVENT_TYPES.values(), "CodeClicked", "Notification", "SomethingNew"} - told
    assert [messages_of(replace(EVENT, type=other)) for other in others] == [()] * len(others)


def test_a_message_has_no_field_of_the_other_player() -> None:
    """Name the fields: one that is added must be such that both players may read it."""
    assert {field.name for field in fields(Message)} == {
        "kind",
        "player_id",
        "audience",
        "amounts",
        "bonuses",
        "in_hold_period",
        "since",
        "until",
        "pending",
    }
