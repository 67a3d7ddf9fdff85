"""The scenarios as a table: story, frequency, networks and phones, and what must come of each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sandbox.evaluation import app_journeys, unreferred_journeys, web_journeys
from sandbox.evaluation.journey import Journey
from sandbox.evaluation.world import NetworkKind

Story = Callable[[Journey], Awaitable[str | None]]
"""Plays a journey; returns the code whose owner truly referred the person, if anybody did."""

ANYWHERE: Final = (NetworkKind.HOME, NetworkKind.HOME, NetworkKind.MOBILE, NetworkKind.DORM)
AT_HOME: Final = (NetworkKind.HOME,)
IN_A_DORM: Final = (NetworkKind.DORM,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A kind of journey; `weight` is its frequency relative to the others.

    A scenario that `must_arrive` carries an intact token or code to the signup: all of its
    journeys must be attributed to the truth. One that `must_not_arrive` has a late or truncated
    one, and nobody may be bound. `phone` is the only platform that it is played on, if given.
    """

    name: str
    story: Story
    weight: int
    must_arrive: bool = False
    must_not_arrive: bool = False
    networks: tuple[NetworkKind, ...] = ANYWHERE
    phone: str | None = None


SCENARIOS: Final = (
    Scenario(name="same browser", story=web_journeys.same_browser, weight=12, must_arrive=True),
    Scenario(
        name="same browser, days later by cookie",
        story=web_journeys.same_browser_days_later,
        weight=6,
        must_arrive=True,
    ),
    Scenario(
        name="SMS link, another browser signs up", story=web_journeys.another_browser, weight=5
    ),
    Scenario(
        name="social app's browser, then code typed",
        story=web_journeys.social_app_then_typed,
        weight=4,
        must_arrive=True,
    ),
    Scenario(
        name="code told by mouth and typed",
        story=web_journeys.told_by_mouth,
        weight=4,
        must_arrive=True,
    ),
    Scenario(
        name="code typed against a link",
        story=web_journeys.typed_against_link,
        weight=3,
        must_arrive=True,
    ),
    Scenario(
        name="code mistyped, link intact",
        story=web_journeys.mistyped_with_link,
        weight=2,
        must_arrive=True,
    ),
    Scenario(name="device switch before signup", story=web_journeys.device_switch, weight=4),
    Scenario(name="cleared cookies", story=web_journeys.cleared_cookies, weight=3),
    Scenario(
        name="two referrers, last touch", story=web_journeys.last_of_two, weight=3, must_arrive=True
    ),
    Scenario(
        name="two referrers, first touch",
        story=web_journeys.first_of_two,
        weight=3,
        must_arrive=True,
    ),
    Scenario(
        name="one of two people at a computer",
        story=web_journeys.one_of_two_at_a_computer,
        weight=2,
        must_arrive=True,
    ),
    Scenario(
        name="QR code from desktop to phone",
        story=web_journeys.scanned_from_a_desktop,
        weight=3,
        must_arrive=True,
        phone="android",
    ),
    Scenario(
        name="Android install, days later",
        story=app_journeys.installed_later_from_play,
        weight=9,
        must_arrive=True,
        phone="android",
    ),
    Scenario(
        name="iOS install, days later by clipboard",
        story=app_journeys.installed_later_with_clipboard,
        weight=7,
        must_arrive=True,
        phone="ios",
    ),
    Scenario(
        name="iOS install without consent",
        story=app_journeys.installed_without_consent,
        weight=5,
        networks=AT_HOME,
        phone="ios",
    ),
    Scenario(
        name="iOS in a dorm, several candidates",
        story=app_journeys.installed_without_consent,
        weight=5,
        networks=IN_A_DORM,
        phone="ios",
    ),
    Scenario(
        name="iOS behind a private relay", story=app_journeys.behind_a_relay, weight=3, phone="ios"
    ),
    Scenario(
        name="link into the installed app",
        story=app_journeys.link_into_installed_app,
        weight=4,
        must_arrive=True,
    ),
    Scenario(
        name="code typed late, within grace",
        story=app_journeys.code_within_grace,
        weight=3,
        must_arrive=True,
    ),
    Scenario(
        name="code heard before its signup",
        story=app_journeys.code_before_the_signup_is_heard,
        weight=2,
        must_arrive=True,
    ),
    Scenario(
        name="another code named within grace",
        story=app_journeys.changed_mind,
        weight=2,
        must_arrive=True,
    ),
    Scenario(
        name="code typed after grace",
        story=app_journeys.code_after_grace,
        weight=1,
        must_not_arrive=True,
    ),
    Scenario(
        name="reinstall from another's link",
        story=app_journeys.reinstalled,
        weight=2,
        must_arrive=True,
    ),
    Scenario(name="nobody, in a browser", story=unreferred_journeys.nobody_in_a_browser, weight=2),
    Scenario(name="nobody, in an app", story=unreferred_journeys.nobody_in_an_app, weight=4),
    Scenario(
        name="nobody; a neighbour followed a link",
        story=unreferred_journeys.neighbour_followed_a_link,
        weight=3,
        networks=AT_HOME,
        phone="ios",
    ),
    Scenario(
        name="nobody; a twin phone says yes",
        story=unreferred_journeys.identical_phone_without_device_id,
        weight=2,
        networks=AT_HOME,
        phone="ios",
    ),
    Scenario(
        name="told by one, neighbour followed two",
        story=unreferred_journeys.neighbour_followed_two,
        weight=2,
        networks=AT_HOME,
        phone="ios",
    ),
    Scenario(
        name="second person on a shared phone", story=unreferred_journeys.shared_phone, weight=1
    ),
    Scenario(name="existing player", story=unreferred_journeys.existing_player, weight=1),
    Scenario(name="own code", story=unreferred_journeys.own_code, weight=1),
    Scenario(name="second account, own link", story=unreferred_journeys.second_account, weight=1),
    Scenario(name="forged token", story=unreferred_journeys.forged_token, weight=1),
    Scenario(name="cut token", story=unreferred_journeys.cut_token, weight=1, must_not_arrive=True),
    Scenario(name="expired token", story=unreferred_journeys.expired_token, weight=1),
    Scenario(
        name="click injection", story=unreferred_journeys.click_injection, weight=1, phone="android"
    ),
    Scenario(name="previewed by a bot", story=unreferred_journeys.previewed_link, weight=1),
)
