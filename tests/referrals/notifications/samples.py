"""Every message there is, in each of three currencies, as the snapshots show it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from domain.money import Money
from domain.notifications.messages import Audience, Kind, Message, Pending
from referrals.notifications.languages import choose_language
from referrals.notifications.texts import render
from tests.builders import NOW

SNAPSHOTS: Final = Path(__file__).parent / "snapshots"
ZONE: Final = ZoneInfo("America/New_York")
AMOUNTS: Final = (Money(1050, "USD"), Money(1500, "JPY"), Money(12_500, "KWD"))
IN_A_DAY: Final = NOW + timedelta(days=1, hours=2)
IN_A_WEEK: Final = NOW + timedelta(days=7)
TODAY: Final = NOW + timedelta(hours=9)


def message(kind: Kind, audience: Audience = Audience.REFERRER) -> Message:
    return Message(kind=kind, player_id="ann", audience=audience)


def about_rewards() -> Iterator[tuple[str, Message]]:
    held, deferred = message(Kind.REWARD_HELD), message(Kind.REWARD_DEFERRED)
    yield "held, under review", held
    yield "held for a while", replace(held, in_hold_period=True, until=IN_A_WEEK)
    yield "held, end unknown", replace(held, in_hold_period=True)
    yield "granted", message(Kind.REWARD_GRANTED)
    yield "deferred", replace(deferred, until=IN_A_WEEK)
    yield "deferred, end unknown", deferred
    yield "reversed", message(Kind.REWARD_REVERSED)
    yield "reinstated", message(Kind.REWARD_REINSTATED)
    for kind in (Kind.DEPOSIT_REMINDER, Kind.WINDOW_CLOSING):
        to_referee = message(kind, Audience.REFEREE)
        yield f"{kind} to the referee", replace(to_referee, until=IN_A_WEEK)


def about_invitations() -> Iterator[tuple[str, Message]]:
    yield "friend signed up", message(Kind.FRIEND_SIGNED_UP)
    kinds = (
        (Kind.SIGNUP_REMINDER, Pending.SIGNUP),
        (Kind.DEPOSIT_REMINDER, Pending.DEPOSIT),
        (Kind.WINDOW_CLOSING, Pending.SIGNUP),
        (Kind.WINDOW_CLOSING, Pending.DEPOSIT),
    )
    ends = (("a week", IN_A_WEEK), ("a day", IN_A_DAY), ("hours", TODAY))
    for (kind, pending), (left, until) in product(kinds, ends):
        since = NOW - timedelta(days=20)
        plain = message(kind)
        yield (
            f"{kind}, no {pending} yet, {left} left",
            replace(plain, since=since, until=until, pending=pending),
        )


def samples() -> Iterator[tuple[str, Message]]:
    """Return each message with the name under which it stands in the snapshots."""
    yield from about_invitations()
    for amount, (name, plain) in product(AMOUNTS, about_rewards()):
        yield f"{amount.currency}, {name}", replace(plain, amounts=(amount,))


def render_all(tag: str) -> str:
    """Return every message in a language, each with its name, subject and body."""
    language = choose_language(tag)
    blocks = []
    for name, sample in samples():
        text = render(sample, language, zone=ZONE, now=NOW)
        blocks.append(f"# {name}\n{text.subject}\n{text.body}\n")
    return "\n".join(blocks)
