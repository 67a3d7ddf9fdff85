"""Catalogues complete in every language, and the choice of a language for a request."""

import re
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from fastapi import FastAPI
from httpx import AsyncClient

import api
from api.link.languages import CATALOGUES_DIR, LANGUAGES, negotiate_language
from referrals.localisation.languages import ENGLISH
from tests.api.bodies import create_code
from tests.api.first_opens import BROWSER_TRAITS, PHONE_TRAITS, follow_link, resolve, unique_ip
from tests.fixtures.api_client import browser

SOURCES: Final = Path(api.__file__).parent
EXTRACTORS: Final = [
    ("**.py", "python"),
    ("link/landing/templates/**.html", "jinja2"),
    ("embed/templates/**.html", "jinja2"),
]
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)s")
TRANSLATED: Final = sorted(LANGUAGES.keys() - {ENGLISH.tag})


def catalogue(tag: str) -> Catalog:
    with (CATALOGUES_DIR / tag / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=tag, abort_invalid=True)


def sentences(tag: str) -> dict[str, str]:
    """Return each sentence with its translation; of one with a plural, both forms."""
    return {
        sentence: translation
        for message in catalogue(tag)
        if message.id
        for sentence, translation in zip(
            forms_of(message.id), forms_of(message.string), strict=True
        )
    }


def forms_of(sentence: object) -> tuple[str, ...]:
    forms = sentence if isinstance(sentence, list | tuple) else (sentence,)
    return tuple(str(form) for form in forms if form is not None)


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_has_the_sentences_of_code_and_templates_and_no_others(tag: str) -> None:
    extracted = extract_from_dir(SOURCES, method_map=EXTRACTORS)
    found = {form for _, _, sentence, _, _ in extracted for form in forms_of(sentence)}
    assert sentences(tag).keys() == found


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_translates_all_of_them(tag: str) -> None:
    untranslated = [message.id for message in catalogue(tag) if message.id and message.fuzzy]
    assert untranslated == []
    assert [
        sentence for sentence, translation in sentences(tag).items() if not translation.strip()
    ] == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_translations_keep_the_placeholders(tag: str) -> None:
    changed = [
        sentence
        for sentence, translation in sentences(tag).items()
        if set(PLACEHOLDER.findall(sentence)) != set(PLACEHOLDER.findall(translation))
        or "%" in PLACEHOLDER.sub("", translation)
    ]
    assert changed == []


def test_every_catalogue_in_the_folder_is_offered() -> None:
    assert sorted(path.name for path in CATALOGUES_DIR.iterdir()) == TRANSLATED


@pytest.mark.parametrize(
    ("accepted", "wish", "tag"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("en;q=0.2, fr-CA;q=0.9", "", "fr"),
        ("ja, zh-TW;q=0.5, pt-PT;q=0.1", "", "pt"),
        ("fr;q=0, es;q=0.1", "", "es"),
        ("de", "es", "es"),
        ("de", "xx", "de"),
        ("de", "../../etc/passwd", "de"),
        ("de", "es_MX", "es"),
        ("DE-AT", "", "de"),
        ("FR_ca;q=0.5, EN_us;q=0.4", "", "fr"),
        ("de", "ES", "es"),
        ("de", " Es-mx ", "es"),
        ("PT-br", "", "pt"),
        ("desert, frost", "", "en"),
        ("en;Q=0.2, fr-CA;Q=0.9", "", "fr"),
        ("de", "es,en;q=0.5", "es"),
        ("de", "fr_FR@rg=chzzzz", "fr"),
        ("de", "es.UTF-8", "es"),
        ("de", "en-US-u-fw-mon-mu-celsius", "en"),
        ("de;q=.9, en;q=.8", "", "de"),
        ("en;q=0.5, de; q = 0.9", "", "de"),
        ("de;level=1;q=0.9, en;q=0.5", "", "de"),
        ("de;q=nan", "", "de"),
        ("de;q", "", "de"),
        ('"de"', "", "de"),
        ('["de","en"]', "", "de"),
        ("", "<es>", "es"),
        ("de-", "", "de"),
        ("de--AT", "", "de"),
        ("de_DE.UTF-8", "", "de"),
        ("de:en", "", "de"),
        ("deu-AT", "", "de"),
        ("fra", "", "fr"),
        ("deutschland, desert", "", "en"),
        ("", "spa", "es"),
        ("", "es%20", "es"),
        ("", "es/", "es"),
        ("", '"es"', "es"),
        ("", "\u200bes", "es"),
        ("", "es|en", "es"),
        ("*", "", "en"),
        ("", "", "en"),
        (",;q=,=;de;;q=2", "", "en"),
        ("x" * 100_000, "y" * 100_000, "en"),
    ],
)
def test_negotiates_a_language(accepted: str, wish: str, tag: str) -> None:
    assert negotiate_language(accepted, preferred=wish).tag == tag


async def test_languages_in_any_case_are_no_fault(client: AsyncClient, app: FastAPI) -> None:
    code, ip = await create_code(client), unique_ip()
    german = {"Accept-Language": "DE-AT"}
    async with browser(app, **german) as visitor:
        unknown = await visitor.get("/r/NOBODYS")
        follow = [await visitor.get(f"/r/{code}{query}") for query in ("", "?lang=ES", "?lang=xX")]
    offer = await client.get(f"/v1/codes/{code}", headers=german)
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    opened = await resolve(client, **{**PHONE_TRAITS, "locale": "EN_us"}, ip=ip)

    assert (unknown.status_code, unknown.headers["content-language"]) == (404, "de")
    assert [answer.status_code for answer in follow] == [302, 302, 302]
    assert (offer.status_code, offer.headers["content-language"]) == (200, "de")
    assert opened["code"] == code


async def test_an_offer_is_shown_in_the_language_asked_for(client: AsyncClient) -> None:
    code = await create_code(client)
    translation = {}
    for accepted in ("de-CH, en;q=0.5", "en-GB"):
        answer = await client.get(f"/v1/codes/{code}", headers={"Accept-Language": accepted})
        translation[answer.headers["content-language"]] = answer.json()["headline"]
    assert translation == {
        "de": "10\N{NO-BREAK SPACE}$ für dich, wenn dein Freund mindestens"
        " 10\N{NO-BREAK SPACE}$ einzahlt",
        "en": "$10 for you when your friend deposits $10 or more",
    }
