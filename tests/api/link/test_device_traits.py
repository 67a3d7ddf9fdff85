"""Device traits read from the headers of a click."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.link.user_agents import traits_from_headers
from tests.user_agents import safari

CHROME = (
    "Mozilla/5.0 (Linux; Android {system}; {model}) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "traits"),
    [
        (
            safari(system="18_5", version="18.5"),
            {"os": "ios", "os_version": "ios 18.5", "form": "iphone"},
        ),
        (
            safari(system="18_6", version="26.3"),
            {"os": "ios", "os_version": "ios 26.3", "form": "iphone"},
        ),
        (
            safari(system="18_6", version="18.6"),
            {"os": "ios", "os_version": "ios 18.6", "form": "iphone"},
        ),
        (CHROME.format(system="10", model="K"), {"os": "android"}),
        (
            CHROME.format(system="14", model="SM-S918B"),
            {"os": "android", "os_version": "android 14.0", "model": "sm-s918b"},
        ),
        (
            "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
            {"os": "android", "os_version": "android 14.0"},
        ),
        ("a program", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_reads_the_system_and_the_model_of_a_device_from_its_user_agent(
    agent: str | None, traits: dict[str, str]
) -> None:
    assert traits_from_headers(agent=agent) == traits


def test_the_first_language_that_a_browser_accepts_is_that_of_the_device() -> None:
    seen = traits_from_headers(agent=None, accept_language="de-CH,de;q=0.9,en;q=0.8")
    assert seen == {"language": "de", "locale": "de-ch"}


@given(st.text(max_size=600), st.text(max_size=100))
def test_any_header_is_read_without_a_fault(agent: str, accepted: str) -> None:
    assert all(traits_from_headers(agent=agent, accept_language=accepted).values())
