"""Keyed hashes of personal data, equal for two spellings of the same value."""

import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.privacy import HASH_SHAPE, PERSONAL_FIELDS, Hasher, keyed_sha256, normalise_field

HASHER = Hasher("a key for tests", public_url="https://refer.example")


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("email", "Ann.Lee+promo@gmail.com", "annlee@googlemail.com"),
        ("email", " ANN@example.com ", "ann@example.com"),
        ("email", "ann+1@example.com", "ann+2@example.com"),
        ("phone", "+1 (555) 010-9999", "15550109999"),
        ("full_name", "Ann  LEE", "ann lee"),
        ("ip", "2001:DB8::1", "2001:db8::1"),
        ("ip", "2001:db8:0:0::1", "2001:db8::1"),
        ("ip", "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_two_spellings_have_one_hash(field: str, one: str, other: str) -> None:
    assert normalise_field(field, one) == normalise_field(field, other)
    assert HASHER.hash(field, one) == HASHER.hash(field, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("email", "ann.lee@example.com", "annlee@example.com"),
        ("phone", "15550109999", "15550109998"),
        ("device_id", "a-b", "ab"),
    ],
)
def test_different_values_have_different_hashes(field: str, one: str, other: str) -> None:
    assert HASHER.hash(field, one) != HASHER.hash(field, other)


@given(field=st.sampled_from(PERSONAL_FIELDS), text=st.text(min_size=1))
def test_a_hash_stays_as_it_is(field: str, text: str) -> None:
    once = HASHER.hash(field, text)

    assert HASH_SHAPE.fullmatch(once)
    assert HASHER.hash(field, once) == once
    assert Hasher("another key", public_url="https://refer.example").hash(field, text) != once


@given(text=st.text(min_size=1))
def test_the_same_text_in_two_fields_cannot_be_compared(text: str) -> None:
    assert len({HASHER.hash(field, text) for field in PERSONAL_FIELDS}) == len(PERSONAL_FIELDS)


def test_only_personal_fields_are_hashed() -> None:
    body = {"player_id": "p", "email": "ann@example.com", "phone": None, "ip": "", "amount": 1}

    hashed = HASHER.hash_personal(body)

    assert hashed == {**body, "email": HASHER.hash("email", "ann@example.com")}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("anna", "anna"),
        ("https://refer.example/r/anna?email=ann%40example.com", "ANNA"),
        ("ann@example.com", HASHER.hash("code", "ann@example.com")),
        (None, None),
    ],
)
def test_typed_text_is_hashed_unless_it_may_be_a_code(typed: str | None, kept: str | None) -> None:
    assert HASHER.hash_personal({"code": typed}) == {"code": kept}


@pytest.mark.parametrize(
    ("reported", "kept"),
    [
        ("de-AT,de;q=0.9", "de-AT,de;q=0.9"),
        ("en-US-u-fw-mon-mu-celsius", "en-US"),
        ("zh_TW_#Hant", "zh_TW"),
        ("fr_FR@rg=chzzzz", "fr_FR"),
        ("Ann Lee", None),
        ("ann@example.com", None),
    ],
)
def test_a_locale_is_kept_without_its_extensions(reported: str, kept: str | None) -> None:
    assert HASHER.hash_personal({"locale": reported}) == {"locale": kept}


@pytest.mark.parametrize(
    ("field", "reported", "kept"),
    [
        ("jurisdiction", " US-WY ", " US-WY "),
        ("method", "house_credit ", "house_credit "),
        ("platform", " iOS", " iOS"),
        ("jurisdiction", " New Jersey ", "other"),
        ("method", " Ann Lee ", "other"),
    ],
)
def test_a_shaped_text_is_kept_with_the_blanks_around_it(
    field: str, reported: str, kept: str
) -> None:
    assert HASHER.hash_personal({field: reported}) == {field: kept}


@pytest.mark.parametrize("written", ["{}", " {}\n", '"{}"', "\u200b{}\u200b", "{}."])
@pytest.mark.parametrize("field", ["referral_token", "cookie_token"])
def test_a_token_is_kept_without_what_is_around_it(field: str, written: str) -> None:
    token = "AAECAwQFBgcICQoLDA0ODwAAAABpo9mA.sig_nature-"
    assert HASHER.hash_personal({field: written.format(token)}) == {field: token}


@given(st.binary(max_size=200), st.binary(max_size=200))
@example(b"k" * 64, b"")
@example(b"k" * 65, b"a message")
def test_a_keyed_hash_is_that_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert keyed_sha256(key)(message) == hmac.digest(key, message, "sha256")
