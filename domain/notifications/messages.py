"""Messages: what an event of a referral tells its players, and to which of the two."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain.lifecycle.reasons import ReasonCode
from domain.money import Money, RewardKind, totals


class Kind(StrEnum):
    FRIEND_SIGNED_UP = "friend_signed_up"
    REWARD_HELD = "reward_held"
    REWARD_GRANTED = "reward_granted"
    REWARD_DEFERRED = "reward_deferred"
    REWARD_REVERSED = "reward_reversed"
    REWARD_REINSTATED = "reward_reinstated"
    SIGNUP_REMINDER = "signup_reminder"
    DEPOSIT_REMINDER = "deposit_reminder"
    WINDOW_CLOSING = "window_closing"


REMINDERS: Final = frozenset({Kind.SIGNUP_REMINDER, Kind.DEPOSIT_REMINDER, Kind.WINDOW_CLOSING})
"""Kinds that time causes, not an event; each is sent only while what it names is pending."""


class Audience(StrEnum):
    """The player's side of the referral."""

    REFERRER = "referrer"
    REFEREE = "referee"


class Pending(StrEnum):
    """The event that a reminder says an invitation waits for."""

    SIGNUP = "signup"
    DEPOSIT = "deposit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The content of one message to one player, before it has a language.

    It has nothing about the other player: no id, no deposit, no jurisdiction, no suspicion.
    """

    kind: Kind
    player_id: str
    audience: Audience
    amounts: tuple[Money, ...] = ()
    """The player's own reward, one amount for each currency, bonus bets included."""
    bonuses: tuple[Money, ...] = ()
    """The part of it that is bonus bets."""
    in_hold_period: bool = False
    """True for a held reward that waits for time alone; others are under review."""
    since: datetime | None = None
    """Begin of the invitation that a reminder is about."""
    until: datetime | None = None
    pending: Pending | None = None

    @property
    def cash(self) -> tuple[Money, ...]:
        """The part of the reward that is cash, one amount for each currency."""
        minor = {bonus.currency: bonus.minor for bonus in self.bonuses}
        left = (Money(a.minor - minor.get(a.currency, 0), a.currency) for a in self.amounts)
        return tuple(money for money in left if money.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReward:
    """A reward as an event shows it."""

    player_id: str
    amount: Money
    kind: RewardKind = RewardKind.CASH


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralEvent:
    """An event of the outbox, as far as messages need it."""

    type: str
    referrer_id: str
    referee_id: str | None
    reason_code: str | None = None
    rewards: tuple[OwnReward, ...] = ()
    until: datetime | None = None
    """Time at which a held or deferred reward is looked at again, where that is known."""


def messages_of(event: ReferralEvent) -> tuple[Message, ...]:
    """Return the messages that an event causes, at most one for each player."""
    compose = _COMPOSERS.get(event.type)
    return tuple(compose(event)) if compose else ()


def messages_of_reminder(
    kind: Kind,
    pending: Pending,
    *,
    referrer_id: str,
    referee_id: str | None,
    invited_at: datetime,
    window_ends_at: datetime,
    referee_reward: Money | None,
) -> tuple[Message, ...]:
    """Return the messages of a reminder; the friend's is about the friend's own reward, if any."""
    if referrer_id == referee_id:
        return ()
    to_referrer = Message(
        kind=kind,
        player_id=referrer_id,
        audience=Audience.REFERRER,
        since=invited_at,
        until=window_ends_at,
        pending=pending,
    )
    if referee_id is None or referee_reward is None or not referee_reward.minor:
        return (to_referrer,)
    to_referee = Message(
        kind=kind,
        player_id=referee_id,
        audience=Audience.REFEREE,
        amounts=(referee_reward,),
        until=window_ends_at,
        pending=pending,
    )
    return (to_referrer, to_referee)


def is_about_rewards(event_type: str) -> bool:
    """Return whether the messages of such an event need the referral's rewards."""
    return event_type in _REWARD_KINDS


def _of_signup(event: ReferralEvent) -> Iterator[Message]:
    # Whoever follows their own code has signed up, and needs no message about a friend.
    if event.referrer_id != event.referee_id:
        yield Message(
            kind=Kind.FRIEND_SIGNED_UP, player_id=event.referrer_id, audience=Audience.REFERRER
        )


def _of_rewards(event: ReferralEvent) -> Iterator[Message]:
    if event.reason_code == ReasonCode.PAYMENT_PENDING:
        # The grant follows as soon as the wallet has answered.
        return
    sides = {event.referrer_id: Audience.REFERRER}
    if event.referee_id is not None:
        sides.setdefault(event.referee_id, Audience.REFEREE)
    for player_id, audience in sides.items():
        own = [r for r in event.rewards if r.player_id == player_id and r.amount.minor]
        amounts = totals(r.amount for r in own)
        if amounts:
            yield Message(
                kind=_REWARD_KINDS[event.type],
                player_id=player_id,
                audience=audience,
                amounts=amounts,
                bonuses=totals(r.amount for r in own if r.kind is RewardKind.BONUS_BET),
                in_hold_period=event.reason_code == ReasonCode.HOLD_PERIOD,
                until=event.until,
            )


_REWARD_KINDS: Final = {
    "RewardHeld": Kind.REWARD_HELD,
    "RewardGranted": Kind.REWARD_GRANTED,
    "RewardDeferred": Kind.REWARD_DEFERRED,
    "RewardReversed": Kind.REWARD_REVERSED,
    "RewardReinstated": Kind.REWARD_REINSTATED,
}
_COMPOSERS: Final[dict[str, Callable[[ReferralEvent], Iterator[Message]]]] = {
    "ReferralSignedUp": _of_signup,
    **dict.fromkeys(_REWARD_KINDS, _of_rewards),
}
EVENT_TYPES: Final = frozenset(_COMPOSERS)
"""Types of the events that cause messages; all others are passed over."""
