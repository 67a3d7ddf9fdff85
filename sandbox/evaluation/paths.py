"""The paths as a table: what happens on each, how often, where, and what must be reached."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sandbox.evaluation import apps, strangers, web
from sandbox.evaluation.journey import Journey
from sandbox.evaluation.world import Kind

Story = Callable[[Journey], Awaitable[str | None]]
"""Lives a journey; returns the code whose owner truthfully brought the person, if anybody did."""

ANYWHERE: Final = (Kind.HOME, Kind.HOME, Kind.MOBILE, Kind.DORM)
AT_HOME: Final = (Kind.HOME,)
IN_A_DORM: Final = (Kind.DORM,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """`weight` says how often it is walked beside the others.

    A path that `must_arrive` carries an intact token or code to the signup: all of its journeys
    have to be attributed to the truth. One that `must_not_arrive` comes too late or spoilt, and the
    policy binds nobody. `phone` is the only kind it is walked with, if there is one.
    """

    name: str
    story: Story
    weight: int
    must_arrive: bool = False
    must_not_arrive: bool = False
    places: tuple[Kind, ...] = ANYWHERE
    phone: str | None = None


SCENARIOS: Final = (
    Path(name="same browser", story=web.same_browser, weight=12, must_arrive=True),
    Path(
        name="same browser, days later by cookie",
        story=web.same_browser_days_later,
        weight=6,
        must_arrive=True,
    ),
    Path(name="SMS link, another browser signs up", story=web.another_browser, weight=5),
    Path(
        name="social app's browser, then code typed",
        story=web.social_app_then_typed,
        weight=4,
        must_arrive=True,
    ),
    Path(name="code told by mouth and typed", story=web.told_by_mouth, weight=4, must_arrive=True),
    Path(
        name="code typed against a link",
        story=web.typed_against_link,
        weight=3,
        must_arrive=True,
    ),
    Path(
        name="code mistyped, link intact",
        story=web.mistyped_with_link,
        weight=2,
        must_arrive=True,
    ),
    Path(name="device switch before signup", story=web.device_switch, weight=4),
    Path(name="cleared cookies", story=web.cleared_cookies, weight=3),
    Path(name="two referrers, last touch", story=web.last_of_two, weight=3, must_arrive=True),
    Path(name="two referrers, first touch", story=web.first_of_two, weight=3, must_arrive=True),
    Path(
        name="one of two people at a computer",
        story=web.one_of_two_at_a_computer,
        weight=2,
        must_arrive=True,
    ),
    Path(
        name="QR code from desktop to phone",
        story=web.scanned_from_a_desktop,
        weight=3,
        must_arrive=True,
        phone="android",
    ),
    Path(
        name="Android install, days later",
        story=apps.installed_later_from_play,
        weight=9,
        must_arrive=True,
        phone="android",
    ),
    Path(
        name="iOS install, days later by clipboard",
        story=apps.installed_later_with_clipboard,
        weight=7,
        must_arrive=True,
        phone="ios",
    ),
    Path(
        name="iOS install without consent",
        story=apps.installed_without_consent,
        weight=5,
        places=AT_HOME,
        phone="ios",
    ),
    Path(
        name="iOS in a dorm, several candidates",
        story=apps.installed_without_consent,
        weight=5,
        places=IN_A_DORM,
        phone="ios",
    ),
    Path(name="iOS behind a private relay", story=apps.behind_a_relay, weight=3, phone="ios"),
    Path(
        name="link into the installed app",
        story=apps.link_into_installed_app,
        weight=4,
        must_arrive=True,
    ),
    Path(
        name="code typed late, within grace",
        story=apps.code_within_grace,
        weight=3,
        must_arrive=True,
    ),
    Path(
        name="code heard before its signup",
        story=apps.code_before_the_signup_is_heard,
        weight=2,
        must_arrive=True,
    ),
    Path(
        name="another code named within grace",
        story=apps.changed_mind,
        weight=2,
        must_arrive=True,
    ),
    Path(
        name="code typed after grace",
        story=apps.code_after_grace,
        weight=1,
        must_not_arrive=True,
    ),
    Path(
        name="reinstall from another's link",
        story=apps.reinstalled,
        weight=2,
        must_arrive=True,
    ),
    Path(name="nobody, in a browser", story=strangers.nobody_in_a_browser, weight=2),
    Path(name="nobody, in an app", story=strangers.nobody_in_an_app, weight=4),
    Path(
        name="nobody; a neighbour followed a link",
        story=strangers.neighbour_followed_a_link,
        weight=3,
        places=AT_HOME,
        phone="ios",
    ),
    Path(
        name="nobody; a twin phone says yes",
        story=strangers.identical_phone_without_device_id,
        weight=2,
        places=AT_HOME,
        phone="ios",
    ),
    Path(
        name="told by one, neighbour followed two",
        story=strangers.neighbour_followed_two,
        weight=2,
        places=AT_HOME,
        phone="ios",
    ),
    Path(name="second person on a shared phone", story=strangers.shared_phone, weight=1),
    Path(name="existing player", story=strangers.existing_player, weight=1),
    Path(name="own code", story=strangers.own_code, weight=1),
    Path(name="second account, own link", story=strangers.second_account, weight=1),
    Path(name="forged token", story=strangers.forged_token, weight=1),
    Path(name="cut token", story=strangers.cut_token, weight=1, must_not_arrive=True),
    Path(name="expired token", story=strangers.expired_token, weight=1),
    Path(name="click injection", story=strangers.click_injection, weight=1, phone="android"),
    Path(name="previewed by a bot", story=strangers.previewed_link, weight=1),
)
