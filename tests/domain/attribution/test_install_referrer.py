"""Install referrers: the token that they carry, and the plausibility of their times."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attribution.install_referrer import (
    PLAUSIBILITY_RULES,
    Install,
    extract_token,
    first_broken_rule,
)

TOKEN_PARAMETER = "AAECAwQFBgcICQoLDA0ODwAAAABpo9mA.sig_nature-1"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
MINUTE, HOUR, DAY = 60, 3600, 86_400
INVITED = NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    "install_referrer",
    [
        f"referral_token={TOKEN_PARAMETER}",
        f"utm_source=share&referral_token={TOKEN_PARAMETER}&utm_medium=link",
        f"referral_token={TOKEN_PARAMETER}&next=https://book.example/?a=b",
        quote(f"referral_token={TOKEN_PARAMETER}", safe=""),
        urlencode({"referrer": f"referral_token={TOKEN_PARAMETER}"}),
        urlencode({"utm_source": "ad", "referrer": urlencode({"referral_token": TOKEN_PARAMETER})}),
        urlencode({"referrer": urlencode({"referrer": f"referral_token={TOKEN_PARAMETER}"})}),
        f"https://play.google.com/store/apps/details?id=a.b&referrer=referral_token%3D{TOKEN_PARAMETER}",
        f" referral_token={TOKEN_PARAMETER}\n",
        f"referral_token={TOKEN_PARAMETER}#Intent;end",
        f"referral_token={TOKEN_PARAMETER};utm_source=x",
        f"referral_token={TOKEN_PARAMETER}+",
    ],
)
def test_finds_the_token_however_deep_it_is_wrapped(install_referrer: str) -> None:
    assert extract_token(install_referrer) == TOKEN_PARAMETER


@pytest.mark.parametrize(
    "install_referrer",
    [
        "",
        "utm_source=google-play&utm_medium=organic",
        "utm_source=%28not%20set%29&utm_medium=%28not%20set%29",
        "gclid=abc",
        "referrer=",
        "referral_token=",
        "referral_token",
        "&&&===%%%",
        TOKEN_PARAMETER,
    ],
)
def test_an_organic_install_claims_nothing(install_referrer: str) -> None:
    assert extract_token(install_referrer) is None


@given(st.text(max_size=200))
def test_reads_any_text_without_a_fault(text: str) -> None:
    found = extract_token(text)
    assert found is None or "referral_token" in text or "%" in text


@given(st.text(alphabet="abcXYZ019._-", min_size=1), st.integers(0, 3))
def test_a_wrapped_token_is_found_again(token: str, layers: int) -> None:
    text = urlencode({"referral_token": token})
    for _ in range(layers):
        text = urlencode({"referrer": text})
    assert extract_token(text) == token


def install(
    clicked_s: int = 0, began_s: int = 0, server_clicked_s: int = 0, server_began_s: int = 0
) -> Install:
    return Install(
        install_referrer=f"referral_token={TOKEN_PARAMETER}",
        referrer_click_timestamp_seconds=clicked_s,
        install_begin_timestamp_seconds=began_s,
        referrer_click_timestamp_server_seconds=server_clicked_s,
        install_begin_timestamp_server_seconds=server_began_s,
    )


def broken_rule(claimed: Install, invited_at: datetime = INVITED) -> str | None:
    return first_broken_rule(claimed, invited_at=invited_at, now=NOW)


@pytest.mark.parametrize(
    "claimed",
    [
        install(),
        install(NOW_S - 100, NOW_S - 60, NOW_S - 100, NOW_S - 60),
        install(NOW_S - 60, NOW_S - 60),
        install(server_clicked_s=NOW_S - 60, server_began_s=NOW_S - 60),
        # The device's clock is wrong, and Google's is known.
        install(NOW_S + DAY, NOW_S - DAY, NOW_S - 100, NOW_S - 60),
        # Two clocks, neither of which knows both times.
        install(NOW_S + DAY, 0, 0, NOW_S - 60),
        install(clicked_s=NOW_S + 5 * MINUTE, began_s=NOW_S + 5 * MINUTE),
        install(began_s=NOW_S - 60),
        install(clicked_s=NOW_S - 60),
    ],
)
def test_an_honest_install_is_believed(claimed: Install) -> None:
    assert broken_rule(claimed) is None


@pytest.mark.parametrize(
    ("claimed", "rule"),
    [
        (install(NOW_S - 59, NOW_S - 60), "click_after_install_began"),
        (
            install(server_clicked_s=NOW_S - 59, server_began_s=NOW_S - 60),
            "click_after_install_began",
        ),
        # The device's times are plausible, and Google's contradict them.
        (install(NOW_S - 100, NOW_S - 60, NOW_S - 50, NOW_S - 60), "click_after_install_began"),
        # Google reports one of the times, the device both.
        (install(NOW_S - 59, NOW_S - 60, NOW_S - 100, 0), "click_after_install_began"),
        (install(clicked_s=NOW_S + HOUR), "time_in_the_future"),
        (install(began_s=NOW_S + 5 * MINUTE + 1), "time_in_the_future"),
        # Milliseconds by mistake.
        (install(NOW_S * 1000, NOW_S * 1000), "time_in_the_future"),
        (install(server_began_s=NOW_S - 3 * HOUR), "invitation_after_install_began"),
        (install(began_s=NOW_S - 2 * HOUR - 6), "invitation_after_install_began"),
        (
            install(server_clicked_s=NOW_S - 3 * HOUR, server_began_s=NOW_S - 3 * HOUR),
            "invitation_after_install_began",
        ),
        (
            install(server_clicked_s=NOW_S - 3 * HOUR, server_began_s=NOW_S - HOUR),
            "click_before_invitation",
        ),
    ],
)
def test_an_install_that_cannot_be_is_refused_by_rule(claimed: Install, rule: str) -> None:
    assert broken_rule(claimed) == rule


def test_an_install_referrer_older_than_play_keeps_one_is_refused() -> None:
    old = NOW - timedelta(days=91)
    began_s = int(old.timestamp())
    claimed = install(server_clicked_s=began_s, server_began_s=began_s)
    assert broken_rule(claimed, invited_at=old) == "referrer_older_than_kept"
    begun_now = install(server_clicked_s=began_s, server_began_s=NOW_S - MINUTE)
    assert broken_rule(begun_now, invited_at=old) == "referrer_older_than_kept"
    younger = NOW - timedelta(days=90)
    began_s = int(younger.timestamp())
    assert broken_rule(install(server_began_s=began_s), invited_at=younger) is None


def test_a_click_just_after_the_install_began_is_caught_by_our_own_clock_alone() -> None:
    invited = NOW - timedelta(minutes=1)
    assert broken_rule(install(server_began_s=NOW_S - MINUTE - 6), invited) is not None
    assert broken_rule(install(server_began_s=NOW_S - MINUTE - 5), invited) is None


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in PLAUSIBILITY_RULES}) == len(PLAUSIBILITY_RULES)


SECONDS = st.integers(0, 2 * NOW_S)


@given(SECONDS, SECONDS, st.integers(1, 2 * NOW_S), st.integers(1, 2 * NOW_S))
def test_no_click_after_the_beginning_of_an_install_is_believed(
    clicked_s: int, began_s: int, server_clicked_s: int, server_began_s: int
) -> None:
    claimed = install(clicked_s, began_s, server_clicked_s, server_began_s)
    if server_clicked_s > server_began_s:
        assert broken_rule(claimed) == "click_after_install_began"


@given(st.integers(0, 2 * HOUR), st.integers(0, 2 * HOUR), st.integers(-HOUR, HOUR))
def test_every_install_after_its_invitation_is_believed(
    one: int, other: int, device_is_off_s: int
) -> None:
    invited_s = int(INVITED.timestamp())
    clicked_s, began_s = sorted((invited_s + one, invited_s + other))
    off = device_is_off_s
    assert broken_rule(install(clicked_s + off, began_s + off, clicked_s, began_s)) is None
