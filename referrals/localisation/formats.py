"""Formats of money, dates and durations in each language."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import NumberPattern, format_percent, get_currency_symbol, parse_pattern

from domain.money import Amount, decimals_of
from referrals.localisation.languages import ENGLISH, Language

DurationUnit = Literal["day", "hour", "minute", "second"]
DURATION_UNITS: Final[tuple[tuple[DurationUnit, int], ...]] = (
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)


@dataclass(frozen=True, slots=True)
class Sum:
    minor: int
    currency: str


def format_money(
    money: Amount, language: Language = ENGLISH, *, cents: Literal["some", "always"] = "some"
) -> str:
    """Format as $10, $10.50 or ¥1,000: with cents where there are some, or always as in $10.00.

    The decimals are not Babel's: CLDR drops cents that are out of use, which minor units count.
    """
    decimals = decimals_of(money.currency)
    shown_decimals = decimals if cents == "always" or money.minor % 10**decimals else 0
    pattern = _money_pattern(language.locale, money.currency, shown_decimals)
    amount = Decimal(money.minor).scaleb(-decimals)
    text: str = pattern.apply(
        amount, language.locale, currency=money.currency, currency_digits=False
    )
    return text


def format_percentage(hundredths: int, language: Language = ENGLISH) -> str:
    """Format hundredths of a percent as 10% or 12.5%."""
    share = Decimal(hundredths).scaleb(-4)
    places = next(n for n in range(3) if hundredths % 10 ** (2 - n) == 0)
    pattern = f"#,##0.{'0' * places}%" if places else "#,##0%"
    text: str = format_percent(share, pattern, locale=language.locale)
    return text


def format_duration(duration: timedelta, language: Language = ENGLISH) -> str:
    """Format as 30 days or 36 hours: in the largest unit that gives a whole number."""
    seconds = int(duration.total_seconds())
    unit = next(name for name, size in DURATION_UNITS if seconds % size == 0)
    return format_timedelta(duration, granularity=unit, threshold=math.inf, locale=language.locale)


def format_day(at: datetime, zone: tzinfo, language: Language = ENGLISH) -> str:
    """Format the day of a moment as March 1, 2026."""
    return format_date(at.astimezone(zone), format="long", locale=language.locale)


def format_moment(at: datetime, zone: tzinfo, language: Language = ENGLISH) -> str:
    """Format as March 1, 2026, 12:00 PM; the reader is taken to know the zone."""
    clock = format_time(at, format="short", tzinfo=zone, locale=language.locale)
    pattern: str = language.locale.datetime_formats["medium"]
    return str(pattern).replace("{1}", format_day(at, zone, language)).replace("{0}", clock)


@lru_cache(512)
def _money_pattern(locale: Locale, currency: str, decimals: int) -> NumberPattern:
    standard: str = locale.currency_formats["standard"].pattern
    pattern = re.sub(r"\.0+", "." + "0" * decimals if decimals else "", standard)
    # CLDR wants a space between a currency's letters and the number; Babel leaves it out.
    if get_currency_symbol(currency, locale)[-1:].isalpha():
        pattern = re.sub(r"¤(?=[#0])", "¤\N{NO-BREAK SPACE}", pattern)
    return parse_pattern(pattern)
