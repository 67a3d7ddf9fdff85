"""REFERRALS_PUBLIC_URL: an origin, or a refusal at the start that says what is wrong."""

import pytest
from pydantic import ValidationError

from runtime.settings import ConsoleLinkSettings


def settings_with(public_url: str) -> ConsoleLinkSettings:
    given = {"database_url": "postgresql+asyncpg://u@h/d", "public_url": public_url}
    return ConsoleLinkSettings.model_validate(given)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://refer.example", "https://refer.example"),
        ("https://refer.example/", "https://refer.example"),
        (" https://refer.example//\n", "https://refer.example"),
        ("HTTPS://Refer.Example:8443", "https://refer.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://bücher.example", "https://bücher.example"),
    ],
)
def test_a_slash_at_the_end_makes_no_difference(written: str, origin: str) -> None:
    assert settings_with(written).public_url == origin


@pytest.mark.parametrize(
    "written",
    [
        "",
        "refer.example",
        "//refer.example",
        "ftp://refer.example",
        "https://",
        "https://refer.example:0",
        "https://refer.example\\links",
        "https://refer.example%2Flinks",
        "https://*.example",
        "https://refer\nexample",
        "https://refer..example",
        "https://refer.example,https://other.example",
        "https://refer.example:99999",
        "https://[::1",
        "https://user:secret@refer.example",
        "https://refer example",
        "https://refer.example/links",
        "https://refer.example/links/",
        "https://refer.example/?a=b",
        "https://refer.example?",
        "https://refer.example#top",
    ],
)
def test_what_would_not_be_honoured_everywhere_is_refused_at_the_start(written: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings_with(written)
    message = refusal.value.errors(include_input=False)[0]["msg"]
    assert "Must be an origin such as https://refer.example" in message
    assert "secret" not in message
