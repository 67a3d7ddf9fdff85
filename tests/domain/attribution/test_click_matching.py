"""Matches of a first open with a click, only where no other code can be meant."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attribution.click_matching import (
    TRAIT_WEIGHTS,
    Match,
    RecentClick,
    match_click,
    normalise_traits,
    system_name,
)
from domain.attribution.policy import Refusal
from domain.privacy import Hasher

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HASHER = Hasher("a key for tests", public_url="https://refer.example")
PHONE_TRAITS = normalise_traits(
    os="iOS",
    os_version="18.5",
    model="iPhone15,3",
    locale="en-US",
    time_zone="America/New_York",
    screen="390x844",
)
BROWSER_TRAITS = normalise_traits(
    os="iOS", os_version="18.5", model="iPhone", locale="en-US,en;q=0.9"
)


def recent_click(
    device_traits: Mapping[str, str] = BROWSER_TRAITS, *, code: str = "ANN", minutes_ago: int = 10
) -> RecentClick:
    return RecentClick(
        referral_id=uuid4(),
        code=code,
        clicked_at=NOW - timedelta(minutes=minutes_ago),
        match_window=timedelta(hours=2),
        device_traits=device_traits,
    )


def test_a_click_of_the_same_device_matches_and_names_the_traits_that_agree() -> None:
    clicked = recent_click()
    found = match_click([clicked], PHONE_TRAITS, now=NOW)
    assert found == Match(
        click=clicked, confidence=0.58, agreeing_traits=("os_version", "locale", "form")
    )


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("iOS 18.5", "ios"),
        ("iPhone OS 18_5", "ios"),
        ("iPadOS", "ios"),
        ("Android 15", "android"),
        ("ANDROID", "android"),
        ("15", "15"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_system_has_one_name_with_its_version_or_without(raw: str | None, name: str) -> None:
    assert system_name(raw) == name


def test_the_network_alone_decides_nothing() -> None:
    assert match_click([recent_click({})], PHONE_TRAITS, now=NOW) is None
    assert match_click([recent_click()], {}, now=NOW) is None


@pytest.mark.parametrize("name", TRAIT_WEIGHTS)
def test_one_trait_beside_the_network_decides_nothing(name: str) -> None:
    clicked = recent_click({"os": PHONE_TRAITS["os"], name: PHONE_TRAITS[name]})
    assert match_click([clicked], PHONE_TRAITS, now=NOW) is None


def test_a_system_a_language_and_a_kind_of_phone_are_too_widespread_to_decide() -> None:
    common = {name: PHONE_TRAITS[name] for name in ("os", "language", "form")}
    assert match_click([recent_click(common)], PHONE_TRAITS, now=NOW) is None


@pytest.mark.parametrize("name", PHONE_TRAITS)
def test_any_contradiction_excludes_a_click(name: str) -> None:
    assert (
        match_click([recent_click(PHONE_TRAITS | {name: "another"})], PHONE_TRAITS, now=NOW) is None
    )


def test_two_codes_behind_one_network_match_nothing_whatever_the_devices() -> None:
    fits = recent_click(PHONE_TRAITS, code="ANN")
    for other in (
        PHONE_TRAITS,
        BROWSER_TRAITS,
        {},
        normalise_traits(os="Android", model="Pixel 8"),
    ):
        assert (
            match_click([fits, recent_click(other, code="BOB")], PHONE_TRAITS, now=NOW)
            is Refusal.AMBIGUOUS
        )


def test_two_visitors_of_one_code_still_match_it() -> None:
    near, far = recent_click(PHONE_TRAITS), recent_click(BROWSER_TRAITS)
    for order in permutations((near, far, recent_click({}))):
        found = match_click(order, PHONE_TRAITS, now=NOW)
        assert isinstance(found, Match)
        assert found.click is near


def test_of_two_clicks_that_fit_equally_the_later_counts() -> None:
    later = recent_click(minutes_ago=1)
    found = match_click([later, recent_click(minutes_ago=5)], PHONE_TRAITS, now=NOW)
    assert isinstance(found, Match)
    assert found.click is later


def test_of_two_clicks_the_one_that_agrees_in_more_counts_before_the_later() -> None:
    alike = recent_click(PHONE_TRAITS, minutes_ago=30)
    found = match_click([recent_click(BROWSER_TRAITS, minutes_ago=1), alike], PHONE_TRAITS, now=NOW)
    assert isinstance(found, Match)
    assert found.click is alike


@pytest.mark.parametrize(
    ("minutes_ago", "counts"), [(0, True), (119, True), (120, False), (-1, False)]
)
def test_only_clicks_within_the_window_count(minutes_ago: int, counts: bool) -> None:  # noqa: FBT001
    found = match_click([recent_click(minutes_ago=minutes_ago)], PHONE_TRAITS, now=NOW)
    assert isinstance(found, Match) is counts


def test_each_campaign_has_its_own_window() -> None:
    narrow = replace(recent_click(), match_window=timedelta(minutes=5))
    assert match_click([narrow], PHONE_TRAITS, now=NOW) is None
    outside = replace(recent_click(code="BOB"), match_window=timedelta(minutes=5))
    assert isinstance(match_click([recent_click(), outside], PHONE_TRAITS, now=NOW), Match)


def test_everything_agreeing_is_still_no_certainty() -> None:
    found = match_click([recent_click(PHONE_TRAITS)], PHONE_TRAITS, now=NOW)
    assert isinstance(found, Match)
    assert (found.confidence, found.agreeing_traits) == (0.87, tuple(TRAIT_WEIGHTS))


def test_hashes_are_compared_as_the_values_would_be() -> None:
    found = match_click(
        [recent_click(HASHER.hash_each(BROWSER_TRAITS))], HASHER.hash_each(PHONE_TRAITS), now=NOW
    )
    assert isinstance(found, Match)
    assert found.agreeing_traits == ("os_version", "locale", "form")


TRAITS = st.dictionaries(st.sampled_from([*TRAIT_WEIGHTS, "os"]), st.sampled_from("ab"))
RECENT_CLICKS = st.lists(
    st.builds(
        lambda code, minutes, device_traits, number: RecentClick(
            referral_id=UUID(int=number),
            code=code,
            clicked_at=NOW - timedelta(minutes=minutes),
            match_window=timedelta(hours=2),
            device_traits=device_traits,
        ),
        st.sampled_from(["ANN", "BOB"]),
        st.integers(-5, 150),
        TRAITS,
        st.integers(0, 2**64),
    ),
    max_size=5,
    unique_by=lambda click: click.referral_id,
)


@given(RECENT_CLICKS, TRAITS, st.randoms(use_true_random=False))
def test_the_order_of_clicks_means_nothing(
    clicks: list[RecentClick], device_traits: dict[str, str], chance: Random
) -> None:
    again = chance.sample(clicks, len(clicks))
    assert match_click(clicks, device_traits, now=NOW) == match_click(again, device_traits, now=NOW)


@given(RECENT_CLICKS, TRAITS)
def test_a_match_is_never_certain_and_never_contradicts_a_trait(
    clicks: list[RecentClick], device_traits: dict[str, str]
) -> None:
    found = match_click(clicks, device_traits, now=NOW)
    if isinstance(found, Match):
        assert 0.4 < found.confidence < 0.9
        assert len(found.agreeing_traits) >= 2
        shared = found.click.device_traits.keys() & device_traits.keys()
        assert all(found.click.device_traits[name] == device_traits[name] for name in shared)


@given(RECENT_CLICKS, TRAITS)
def test_another_code_behind_the_network_never_makes_a_match(
    clicks: list[RecentClick], device_traits: dict[str, str]
) -> None:
    stranger = recent_click(code="EVE")
    found = match_click([*clicks, stranger], device_traits, now=NOW)
    assert not isinstance(found, Match) or found.click.code == "EVE"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"locale": "en_US"}, {"locale": "en-US,en;q=0.9,es;q=0.8"}),
        ({"locale": "zh-Hans_CN"}, {"locale": "zh-CN"}),
        ({"locale": "en_US@rg=gbzzzz"}, {"locale": "EN-us-u-hc-h12"}),
        ({"os": "iOS", "os_version": "18.5.1"}, {"os": "iPhone OS", "os_version": "18_5"}),
        ({"os": "android", "os_version": "14"}, {"os": "Android", "os_version": "14.0"}),
        ({"os": "iPadOS"}, {"os": "ios"}),
        ({"model": "Pixel  8"}, {"model": "pixel 8"}),
        ({"time_zone": "America/New_York"}, {"time_zone": "america/new_york "}),
        ({"screen": "844x390"}, {"screen": "390 x 844 @3x"}),
    ],
)
def test_two_spellings_of_a_trait_are_equal(one: dict[str, str], other: dict[str, str]) -> None:
    assert normalise_traits(**one) == normalise_traits(**other) != {}


@pytest.mark.parametrize(
    ("raw", "known"),
    [
        ({}, {}),
        ({"model": "K", "os": "Android", "os_version": "10"}, {"os": "android"}),
        ({"model": "iPhone"}, {"form": "iphone"}),
        ({"model": "iPhone15,3"}, {"form": "iphone", "model": "iphone15,3"}),
        ({"model": "Generic Smartphone"}, {}),
        ({"locale": "en"}, {"language": "en"}),
        ({"locale": "*"}, {}),
        ({"os_version": "18"}, {}),
        ({"screen": "large", "os_version": "new", "locale": "", "os": " "}, {}),
    ],
)
def test_traits_without_information_are_left_out(
    raw: dict[str, str], known: dict[str, str]
) -> None:
    assert normalise_traits(**raw) == known


TEXT = st.text(max_size=40)
ANY_TRAITS = st.builds(
    normalise_traits,
    os=TEXT,
    os_version=TEXT,
    model=TEXT,
    locale=TEXT,
    time_zone=TEXT,
    screen=TEXT,
)


@given(ANY_TRAITS)
def test_any_text_is_read_without_a_fault(device_traits: dict[str, str]) -> None:
    assert all(device_traits.values())
