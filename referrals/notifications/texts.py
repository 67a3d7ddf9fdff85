"""Texts of notifications: short, neutral, and never an urging to play or to deposit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from babel.lists import format_list

from domain.notifications.messages import Audience, Kind, Message, Pending
from domain.notifications.sending import DEFAULT_ZONE
from referrals.localisation.formats import format_day, format_moment, format_money
from referrals.localisation.languages import Language


@dataclass(frozen=True, slots=True)
class Text:
    """A message in a player's language; plain text, for any channel."""

    subject: str
    body: str


def render(message: Message, language: Language, *, zone: tzinfo, now: datetime) -> Text:
    """Return the text of a message; dates are those of the player's zone."""
    days_left = _whole_days(now, message.until)
    values = {**_values(message, language, zone), "days": str(days_left)}
    subject, body = _COMPOSERS[message.kind](message, language, days_left)
    return Text(subject=subject % values, body=body % values)


def _whole_days(now: datetime, until: datetime | None) -> int:
    return max((until - now) // timedelta(days=1), 0) if until else 0


def _values(message: Message, language: Language, zone: tzinfo) -> dict[str, str]:
    amounts = [format_money(amount, language, cents="always") for amount in message.cash]
    for bonus in message.bonuses:
        shown = format_money(bonus, language, cents="always")
        amounts.append(language.gettext("%(amount)s in bonus bets") % {"amount": shown})
    values = {"amount": format_list(amounts, locale=language.locale) if amounts else ""}
    if message.since:
        values["since"] = format_day(message.since, zone, language)
    if message.until:
        moment = format_moment(message.until, zone, language)
        # A player who has named no zone must be able to tell which one is meant.
        values["until"] = f"{moment} UTC" if zone is DEFAULT_ZONE else moment
    return values


def _friend_signed_up(_: Message, language: Language, __: int) -> tuple[str, str]:
    gettext = language.gettext
    return (
        gettext("Your friend has signed up"),
        gettext("A friend whom you invited has signed up. There is nothing you need to do."),
    )


def _reward_held(message: Message, language: Language, _: int) -> tuple[str, str]:
    gettext = language.gettext
    if not message.in_hold_period:
        return (
            gettext("Your reward of %(amount)s is under review"),
            gettext("Your reward of %(amount)s is under review. There is nothing you need to do."),
        )
    if message.until is None:
        body = gettext("Your reward of %(amount)s is waiting for its hold period to end.")
    else:
        body = gettext("Your reward of %(amount)s is on hold until %(until)s.")
    return gettext("Your reward of %(amount)s is on hold"), body


def _reward_granted(_: Message, language: Language, __: int) -> tuple[str, str]:
    gettext = language.gettext
    return (
        gettext("Your reward of %(amount)s has been credited"),
        gettext("Your reward of %(amount)s has been credited to your balance."),
    )


def _reward_deferred(message: Message, language: Language, _: int) -> tuple[str, str]:
    gettext = language.gettext
    if message.until is None:
        body = gettext("Your reward of %(amount)s is postponed until the campaign can pay it.")
    else:
        body = gettext(
            "Your reward of %(amount)s is postponed. It will be looked at again by %(until)s"
            " at the latest."
        )
    return gettext("Your reward of %(amount)s is postponed"), body


def _reward_reversed(_: Message, language: Language, __: int) -> tuple[str, str]:
    gettext = language.gettext
    return (
        gettext("Your reward of %(amount)s has been taken back"),
        gettext(
            "Your reward of %(amount)s has been taken back, because the terms of the offer"
            " are no longer met."
        ),
    )


def _reward_reinstated(_: Message, language: Language, __: int) -> tuple[str, str]:
    gettext = language.gettext
    return (
        gettext("Your reward of %(amount)s has been credited again"),
        gettext(
            "The terms of the offer are met again, so your reward of %(amount)s has been"
            " credited again."
        ),
    )


def _still_open(message: Message, language: Language, days: int) -> tuple[str, str]:
    gettext, ngettext = language.gettext, language.ngettext
    if message.audience is Audience.REFEREE:
        return gettext("An offer is still open"), _open_offer(language)
    stays_open = (
        ngettext(
            "It stays open for %(days)s more day, until %(until)s.",
            "It stays open for %(days)s more days, until %(until)s.",
            days,
        )
        if days
        else gettext("It stays open until %(until)s.")
    )
    body = _join(language, _pending(message, language), stays_open)
    return gettext("An invitation is still open"), body


def _closing(message: Message, language: Language, days: int) -> tuple[str, str]:
    gettext, ngettext = language.gettext, language.ngettext
    if message.audience is Audience.REFEREE:
        return gettext("An offer closes soon"), _open_offer(language)
    closes = (
        ngettext(
            "It closes in %(days)s day, on %(until)s.",
            "It closes in %(days)s days, on %(until)s.",
            days,
        )
        if days
        else gettext("It closes on %(until)s.")
    )
    body = _join(language, _pending(message, language), closes)
    return gettext("An invitation closes soon"), body


def _pending(message: Message, language: Language) -> str:
    if message.pending is Pending.SIGNUP:
        return language.gettext("Your invitation of %(since)s is waiting for the signup.")
    return language.gettext("Your invitation of %(since)s is waiting for a first deposit.")


def _open_offer(language: Language) -> str:
    return language.gettext(
        "The offer of %(amount)s that came with your invitation is open until %(until)s."
        " Whether you use it is up to you."
    )


def _join(language: Language, first: str, second: str) -> str:
    """Put one sentence behind another, as the language does."""
    return language.gettext("%(first)s %(second)s") % {"first": first, "second": second}


_Composer = Callable[[Message, Language, int], tuple[str, str]]
_COMPOSERS: Final[dict[Kind, _Composer]] = {
    Kind.FRIEND_SIGNED_UP: _friend_signed_up,
    Kind.REWARD_HELD: _reward_held,
    Kind.REWARD_GRANTED: _reward_granted,
    Kind.REWARD_DEFERRED: _reward_deferred,
    Kind.REWARD_REVERSED: _reward_reversed,
    Kind.REWARD_REINSTATED: _reward_reinstated,
    Kind.SIGNUP_REMINDER: _still_open,
    Kind.DEPOSIT_REMINDER: _still_open,
    Kind.WINDOW_CLOSING: _closing,
}
