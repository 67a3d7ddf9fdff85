"""Texts of offers, and formats of money and durations."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from api.link.languages import LANGUAGES
from api.link.offer_texts import referee_headline, referee_terms, referrer_headline, referrer_terms
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import Terms
from domain.money import Money
from referrals.localisation.formats import format_duration, format_money


def offer_terms(
    *,
    referee_reward: Money | None = None,
    referrer_reward_minor: int = 1000,
    hold: timedelta = timedelta(0),
) -> Terms:
    return Terms(
        signup_window=timedelta(days=30),
        deposit_window=timedelta(days=7),
        minimum_deposit=Money(2000, "USD"),
        hold_period=hold,
        review_period=timedelta(days=3),
        chargeback_window=timedelta(days=120),
        lateness_grace=timedelta(hours=1),
        referrer_reward=Money(referrer_reward_minor, "USD"),
        referee_reward=referee_reward,
    )


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("minor", "currency", "tag", "text"),
    [
        (1000, "USD", "en", "$10"),
        (1050, "USD", "en", "$10.50"),
        (123_456_700, "EUR", "en", "€1,234,567"),
        (1000, "JPY", "en", "¥1,000"),
        (1000, "CAD", "en", "CA$10"),
        (1500, "KWD", "en", "KWD 1.500"),
        (2000, "KWD", "en", "KWD 2"),
        (12_345, "CLF", "en", "CLF 1.2345"),
        (150, "IDR", "en", "IDR 1.50"),
        (1050, "USD", "es", "10,50 US$"),
        (1000, "BRL", "pt", "R$ 10"),
        (123_456, "EUR", "fr", "1 234,56 €"),
        (123_456, "EUR", "de", "1.234,56 €"),
        (10**15, "USD", "en", "$10,000,000,000,000"),
    ],
)
def test_an_amount_is_written_as_in_the_language(
    minor: int, currency: str, tag: str, text: str
) -> None:
    assert plain(format_money(Money(minor, currency), LANGUAGES[tag])) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=30), ("30 days", "30 días", "30 dias", "30 jours", "30 Tage")),
        (timedelta(days=1), ("1 day", "1 día", "1 dia", "1 jour", "1 Tag")),
        (timedelta(hours=36), ("36 hours", "36 horas", "36 horas", "36 heures", "36 Stunden")),
        (
            timedelta(seconds=90),
            ("90 seconds", "90 segundos", "90 segundos", "90 secondes", "90 Sekunden"),
        ),
    ],
)
def test_a_duration_is_whole_in_its_unit(length: timedelta, text: tuple[str, ...]) -> None:
    assert tuple(plain(format_duration(length, each)) for each in LANGUAGES.values()) == text


def test_an_offer_names_the_reward_of_each_side() -> None:
    both = offer_terms(referee_reward=Money(550, "USD"))
    assert referrer_headline(both) == (
        "$10 for you and $5.50 for your friend when your friend deposits $20 or more"
    )
    assert (
        referee_headline(both)
        == "$5.50 for you and $10 for your friend when you deposit $20 or more"
    )


def test_a_side_without_a_reward_is_not_mentioned() -> None:
    assert referrer_headline(offer_terms()) == "$10 for you when your friend deposits $20 or more"
    assert referee_headline(offer_terms()) == "$10 for your friend when you deposit $20 or more"
    only_theirs = offer_terms(referee_reward=Money(550, "USD"), referrer_reward_minor=0)
    assert (
        referrer_headline(only_theirs)
        == "$5.50 for your friend when your friend deposits $20 or more"
    )
    assert referee_headline(only_theirs) == "$5.50 for you when you deposit $20 or more"


def test_the_terms_say_what_is_taken_back() -> None:
    assert referrer_terms(offer_terms()) == (
        "Your friend signs up within 30 days of following your link and deposits at least $20"
        " within 7 days of signing up. The reward is taken back if the deposit is refunded or"
        " charged back within 120 days."
    )
    assert referee_terms(offer_terms(hold=timedelta(hours=36))) == (
        "Sign up within 30 days of opening this link.",
        "Deposit at least $20 within 7 days of signing up.",
        "The reward is credited 36 hours after that.",
        "It is taken back if the deposit is refunded or charged back within 120 days.",
        "Only for new players, once per person, and as long as the budget of the offer lasts.",
    )


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_language_keeps_the_placeholders_for_amounts_and_times(tag: str) -> None:
    terms = offer_terms(referee_reward=Money(550, "USD"), hold=timedelta(hours=36))
    language = LANGUAGES[tag]
    sentences = " ".join((referrer_terms(terms, language), *referee_terms(terms, language)))
    assert set(re.findall(r"\d+", sentences)) == {"30", "20", "7", "36", "120"}
    for promise in (referrer_headline(terms, language), referee_headline(terms, language)):
        assert set(re.findall(r"\d+(?:[.,]\d+)?", promise)) in (
            {"10", "5.50", "20"},
            {"10", "5,50", "20"},
        )


def test_bonus_bets_are_promised_as_such_beside_cash() -> None:
    cash = {"to": "referrer", "amount": {"flat": {"minor": 1000, "currency": "USD"}}}
    bonus = {"to": "referrer", "kind": "bonus_bet", "amount": {"percent": "10"}}
    rewards = read_rewards([cash, bonus], "terms.rewards", currency="USD")
    terms = replace(offer_terms(referrer_reward_minor=0), rules=Rules(rewards=rewards))

    assert referrer_headline(terms).startswith("$10 + 10% in bonus bets for you")
    german = plain(referrer_headline(terms, LANGUAGES["de"]))
    assert german.startswith("10 $ + 10% in Gratiswetten für dich")
