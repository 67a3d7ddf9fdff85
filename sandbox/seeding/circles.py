"""The plan of a seeded past: circles of one referrer and friends, and what each does when."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto
from itertools import count
from random import Random
from typing import Any, Final

from sandbox.fraud_evaluation.accounts import Account, own_account
from sandbox.seeding.campaigns import OFFERS

DAYS: Final = 28
"""Days of the past; shorter than every window of the offers, so that all of it may still happen."""
FRIENDS: Final = (1, 1, 2, 2, 3, 4, 6, 9)
"""Friends that one referrer's code brings to the page."""
OFFER_WEIGHTS: Final = (60, 30, 10)
CHANNELS: Final = (("whatsapp", 45), ("telegram", 15), ("sms", 15), ("email", 10), ("copy", 15))
JURISDICTIONS: Final = (("US-NJ", 40), ("US-PA", 25), ("US-MI", 20), ("US-CO", 15))
DEPOSITS_MINOR: Final = ((1000, 15), (2000, 30), (2500, 15), (5000, 25), (10000, 12), (25000, 3))
METHODS: Final = (("card", 60), ("bank_transfer", 20), ("wallet", 20))
SIGNS_UP: Final = 0.62
DEPOSITS: Final = 0.66
SHARES_CARD: Final = 0.1
CHARGES_BACK: Final = 0.1
WINS_BACK: Final = 0.4


class Step(StrEnum):
    SHARE = auto()
    CLICK = auto()
    SIGNUP = auto()
    DEPOSIT = auto()
    CHARGEBACK = auto()
    CHARGEBACK_WON = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a player, or a visitor who is none yet, does."""

    at: datetime
    step: Step
    account: Account
    fields: dict[str, Any]


@dataclass(slots=True)
class Circle:
    """One referrer, the friends, and their acts in the order of their times."""

    name: str
    campaign: str
    referrer: Account
    acts: list[Act] = field(default_factory=list)


def make_circles(referrals: int, *, now: datetime, seed: int) -> Iterator[Circle]:
    """Plan circles that bring as many friends to the page, all of it before `now`."""
    rng = Random(seed)  # noqa: S311 - a past that can be repeated
    people, left = count(1), referrals
    for number in count(1):
        if left <= 0:
            return
        friends = min(left, rng.choice(FRIENDS))
        left -= friends
        yield _circle(rng, number, friends, now=now, people=people)


def _circle(
    rng: Random, number: int, friends: int, *, now: datetime, people: "count[int]"
) -> Circle:
    name = f"player-{1000 + number}"
    campaign = rng.choices(list(OFFERS), OFFER_WEIGHTS)[0]
    circle = Circle(name, campaign, own_account(rng, name, next(people)))
    joined_at = now - timedelta(days=DAYS, hours=rng.uniform(1, 24))
    _joins(rng, circle, circle.referrer, at=joined_at, minor=2000, card=circle.referrer.card)
    for nth in range(1, friends + 1):
        friend = own_account(rng, f"{name}-{nth}", next(people))
        _plan_friend(rng, circle, friend, at=_moment(rng, now=now))
    circle.acts = sorted((act for act in circle.acts if act.at < now), key=lambda act: act.at)
    return circle


def _moment(rng: Random, *, now: datetime) -> datetime:
    """Return a moment of the past: more of them lately, on weekends, and in the evening."""
    while True:
        day = now - timedelta(days=DAYS * (1 - rng.random() ** 0.7))
        at = day.replace(hour=min(23, max(7, round(rng.gauss(18, 3)))), minute=rng.randrange(60))
        if at < now and (at.isoweekday() >= 5 or rng.random() < 0.6):
            return at


def _plan_friend(rng: Random, circle: Circle, friend: Account, *, at: datetime) -> None:
    if rng.random() < 0.7:
        shared_at = at - timedelta(minutes=rng.uniform(2, 600))
        _adds(circle, circle.referrer, Step.SHARE, shared_at, channel=_pick(rng, CHANNELS))
    for visit in range(rng.choice((1, 1, 2))):
        _adds(circle, friend, Step.CLICK, at + timedelta(minutes=3 * visit))
    if rng.random() >= SIGNS_UP:
        return
    signed_up_at = at + timedelta(minutes=rng.choice((6, 15, 40, 180, 1500)) * rng.uniform(1, 2))
    shares_card = rng.random() < SHARES_CARD
    card = circle.referrer.card if shares_card else friend.card
    minor = _pick(rng, DEPOSITS_MINOR) if rng.random() < DEPOSITS else None
    deposited_at = _joins(rng, circle, friend, at=signed_up_at, minor=minor, card=card)
    if minor and rng.random() < CHARGES_BACK:
        taken_at = deposited_at + timedelta(days=rng.uniform(1, 8))
        _adds(circle, friend, Step.CHARGEBACK, taken_at)
        if rng.random() < WINS_BACK:
            _adds(circle, friend, Step.CHARGEBACK_WON, taken_at + timedelta(days=2))


def _joins(
    rng: Random,
    circle: Circle,
    account: Account,
    *,
    at: datetime,
    minor: int | None,
    card: str | None,
) -> datetime:
    """Plan a signup and a first deposit; return when the account deposits."""
    _adds(circle, account, Step.SIGNUP, at, jurisdiction=_pick(rng, JURISDICTIONS))
    deposited_at = at + timedelta(minutes=rng.choice((4, 12, 90, 1600, 4000)) * rng.uniform(1, 2))
    if minor is not None:
        paid = {"minor": minor, "payment_instrument": card, "method": _pick(rng, METHODS)}
        _adds(circle, account, Step.DEPOSIT, deposited_at, **paid)
    return deposited_at


def _adds(circle: Circle, account: Account, step: Step, at: datetime, **fields: object) -> None:
    circle.acts.append(Act(at=at, step=step, account=account, fields=fields))


def _pick(rng: Random, weighted: tuple[tuple[Any, int], ...]) -> Any:  # noqa: ANN401
    return rng.choices([each for each, _ in weighted], [weight for _, weight in weighted])[0]
