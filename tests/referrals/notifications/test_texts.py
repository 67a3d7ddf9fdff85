"""Texts of the messages: snapshots in every language, complete catalogues, and what none says."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import referrals.notifications
from domain.money import Money
from domain.notifications.messages import Kind
from domain.notifications.sending import DEFAULT_ZONE
from referrals.localisation.languages import ENGLISH
from referrals.notifications.languages import CATALOGUES_DIR, LANGUAGES, choose_language
from referrals.notifications.texts import Text, render
from tests.builders import NOW
from tests.referrals.notifications.samples import (
    IN_A_WEEK,
    SNAPSHOTS,
    message,
    render_all,
    samples,
)

SOURCES: Final = Path(referrals.notifications.__file__).parent
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
TRANSLATED: Final = sorted(LANGUAGES.keys() - {ENGLISH.tag})
MAX_SUBJECT: Final = 80
MAX_BODY: Final = 200
URGING: Final = re.compile(
    r"\b(bets?|betting|play|win|hurry|now|don't miss|last chance|deposit now)\b", re.IGNORECASE
)


def catalogue(tag: str) -> Catalog:
    with (CATALOGUES_DIR / tag / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=tag, abort_invalid=True)


def forms(text: object) -> tuple[str, ...]:
    return tuple(str(form) for form in text) if isinstance(text, tuple | list) else (str(text),)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_message_reads_as_its_snapshot(tag: str) -> None:
    """After a change of words: `python -m tests.referrals.notifications.record`, and read them."""
    assert render_all(tag) == (SNAPSHOTS / f"{tag}.txt").read_text()


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_has_the_sentences_of_the_code_and_no_others(tag: str) -> None:
    extracted = extract_from_dir(SOURCES, method_map=[("**.py", "python")])
    translated = {forms(entry.id)[0] for entry in catalogue(tag) if entry.id}
    assert translated == {forms(sentence)[0] for _, _, sentence, _, _ in extracted}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_translates_all_of_them_and_keeps_the_placeholders(tag: str) -> None:
    faulty = [
        entry.id
        for entry in catalogue(tag)
        if entry.id
        for translation in forms(entry.string)
        if entry.fuzzy
        or not translation.strip()
        or set(PLACEHOLDER.findall(translation)) != set(PLACEHOLDER.findall(forms(entry.id)[0]))
        or "%" in PLACEHOLDER.sub("", translation)
    ]
    assert faulty == []


def test_every_catalogue_in_the_folder_is_offered() -> None:
    assert sorted(path.name for path in CATALOGUES_DIR.iterdir()) == TRANSLATED


def test_every_kind_is_in_the_snapshots() -> None:
    assert {sample.kind for _, sample in samples()} == set(Kind)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_message_is_short(tag: str) -> None:
    texts = [
        render(sample, choose_language(tag), zone=DEFAULT_ZONE, now=NOW) for _, sample in samples()
    ]
    assert [text.subject for text in texts if len(text.subject) > MAX_SUBJECT] == []
    assert [text.body for text in texts if len(text.body) > MAX_BODY] == []


def test_no_message_urges_anybody_to_play() -> None:
    assert URGING.findall(render_all("en")) == []


@pytest.mark.parametrize(
    ("money", "tag", "shown"),
    [
        (Money(1000, "USD"), "en", "$10.00"),
        (Money(1000, "JPY"), "en", "¥1,000"),
        (Money(1000, "KWD"), "en", "KWD 1.000"),
        (Money(1000, "JPY"), "ja", "￥1,000"),
        (Money(123_456_789, "KWD"), "de", "123.456,789 KWD"),
        (Money(123_456, "USD"), "pt-BR", "US$ 1.234,56"),
    ],
)
def test_money_has_as_many_decimals_as_its_currency(money: Money, tag: str, shown: str) -> None:
    sample = replace(message(Kind.REWARD_GRANTED), amounts=(money,))
    subject = render(sample, choose_language(tag), zone=DEFAULT_ZONE, now=NOW).subject
    assert shown in subject.replace("\N{NO-BREAK SPACE}", " ")


def test_rewards_in_two_currencies_are_listed() -> None:
    amounts = (Money(300, "EUR"), Money(1000, "USD"))
    sample = replace(message(Kind.REWARD_GRANTED), amounts=amounts)
    text = render(sample, ENGLISH, zone=DEFAULT_ZONE, now=NOW)
    assert text == Text(
        subject="Your reward of €3.00 and $10.00 has been credited",
        body="Your reward of €3.00 and $10.00 has been credited to your balance.",
    )


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("en", "$10.00 and $5.00 in bonus bets"),
        ("de", "10,00 $ und 5,00 $ in Gratiswetten"),
        ("fr", "10,00 $US et 5,00 $US en paris gratuits"),
    ],
)
def test_bonus_bets_are_never_told_as_cash(tag: str, shown: str) -> None:
    sample = replace(
        message(Kind.REWARD_GRANTED), amounts=(Money(1500, "USD"),), bonuses=(Money(500, "USD"),)
    )
    subject = render(sample, choose_language(tag), zone=DEFAULT_ZONE, now=NOW).subject
    assert shown in subject.replace("\N{NO-BREAK SPACE}", " ")


def test_a_time_without_a_known_zone_says_that_it_is_utc() -> None:
    sample = replace(message(Kind.REWARD_DEFERRED), amounts=(Money(1000, "USD"),), until=IN_A_WEEK)
    in_utc = render(sample, choose_language("de"), zone=DEFAULT_ZONE, now=NOW).body
    in_tokyo = render(sample, choose_language("de"), zone=ZoneInfo("Asia/Tokyo"), now=NOW).body
    assert "8. März 2026, 12:00 UTC" in in_utc
    assert "8. März 2026, 21:00 erneut" in in_tokyo


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        (("EN_us", "de"), "en-US"),
        (("de-AT", None), "de-AT"),
        (("it", "fr_CA"), "fr-CA"),
        (("xx", "not a locale"), "en"),
        ((None, None), "en"),
        (("", " ja "), "ja"),
        (("pt-BR\x00", "es-419"), "es-419"),
        (("de-AT,de;q=0.9", "fr"), "de-AT"),
        (("de-DE-u-fw-mon-mu-celsius", "fr"), "de-DE"),
    ],
)
def test_the_first_locale_with_messages_is_spoken(wanted: tuple[str | None], tag: str) -> None:
    assert choose_language(*wanted).tag == tag
