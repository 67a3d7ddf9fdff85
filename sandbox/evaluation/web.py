"""Journeys that end in a browser. Each returns the code that truthfully brought the person."""

from typing import Final

from sandbox.evaluation.handed import installed
from sandbox.evaluation.journey import Journey
from sandbox.evaluation.offers import FIRST_TOUCH, LANDING, LAST_TOUCH

TYPING_CODE_SHARE: Final = 0.55
"""The share of people who remember the code, or read it again, where no token came along."""
REMEMBERING_CODE_SHARE: Final = 0.3
TOKEN: Final = "referral_token"


async def same_browser(j: Journey) -> str:
    code = await j.friend(LAST_TOUCH)
    page = await j.taps(code, j.person.desktop)
    await j.minutes(1, 40)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))
    return code


async def same_browser_days_later(j: Journey) -> str:
    """The address bar has forgotten the token; the first-party cookie has not."""
    code = await j.friend(LAST_TOUCH)
    page = await j.taps(code, j.person.desktop)
    await j.days(1, 20)
    await j.signs_up(j.person.desktop, cookie=page.cookies.get(TOKEN))
    return code


async def another_browser(j: Journey) -> str:
    """A link in an SMS opens in the system's browser; the account is opened in another."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone)
    await j.hours(0.1, 30)
    await j.signs_up(j.person.phone, code=code if j.happens(TYPING_CODE_SHARE) else None)
    return code


async def social_app_then_typed(j: Journey) -> str:
    """The browser inside a social app has cookies of its own; the page shows the code."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone, agent=j.person.phone.in_app_user_agent)
    await j.minutes(1, 60)
    await j.signs_up(j.person.phone, code=code)
    return code


async def told_by_mouth(j: Journey) -> str:
    code = await j.friend(LAST_TOUCH)
    await j.signs_up(j.person.desktop, code=f" {code.lower()} ")
    return code


async def typed_against_link(j: Journey) -> str:
    """A person's own word counts more than a link followed before."""
    followed = await j.friend(LAST_TOUCH)
    page = await j.taps(followed, j.person.desktop)
    await j.hours(0.1, 50)
    typed = await j.friend(LAST_TOUCH, besides=followed)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN), code=typed)
    return typed


async def mistyped_with_link(j: Journey) -> str:
    """A code that nobody has does not spoil the link that came along."""
    code = await j.friend(LAST_TOUCH)
    page = await j.taps(code, j.person.desktop)
    await j.minutes(1, 40)
    token = page.location_parameter(TOKEN)
    await j.signs_up(j.person.desktop, token=token, code=f"{code}-TYPO")
    return code


async def device_switch(j: Journey) -> str:
    """The link is followed on the phone, the account opened on the computer."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone)
    await j.hours(0.2, 48)
    await j.signs_up(j.person.desktop, code=code if j.happens(TYPING_CODE_SHARE) else None)
    return code


async def cleared_cookies(j: Journey) -> str:
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.desktop)
    await j.days(1, 10)
    await j.signs_up(j.person.desktop, code=code if j.happens(REMEMBERING_CODE_SHARE) else None)
    return code


async def last_of_two(j: Journey) -> str:
    _, second = await _two_links(j, LAST_TOUCH)
    return second


async def first_of_two(j: Journey) -> str:
    first, _ = await _two_links(j, FIRST_TOUCH)
    return first


async def one_of_two_at_a_computer(j: Journey) -> str:
    """Two people share a browser: the other one follows a later link, and signs up first."""
    own = await j.friend(LAST_TOUCH)
    page = await j.taps(own, j.person.desktop)
    await j.hours(0.1, 20)
    others = await j.friend(LAST_TOUCH, besides=own)
    later = await j.taps(others, j.person.desktop)
    other = f"other-{j.person.player_id}"
    token = later.location_parameter(TOKEN)
    await j.signs_up(j.person.desktop, token=token, player_id=other)
    await j.hours(0.1, 20)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))
    return own


async def scanned_from_a_desktop(j: Journey) -> str:
    """The page on the computer shows a QR code; the phone follows it and goes to its store."""
    code = await j.friend(LANDING)
    await j.taps(code, j.person.desktop)
    await j.minutes(0.2, 5)
    page = await j.taps(code, j.person.phone, via="qr")
    scanned = j.now
    await j.minutes(0.2, 10)
    began = j.now
    await j.hours(0.1, 100)
    opened = await j.opens_app(**installed(page, clicked=scanned, began=began))
    await j.minutes(1, 20)
    await j.signs_up(j.person.phone, token=opened.token)
    return code


async def _two_links(j: Journey, campaign: str) -> tuple[str, str]:
    first = await j.friend(campaign)
    await j.taps(first, j.person.desktop)
    await j.hours(1, 100)
    second = await j.friend(campaign, besides=first)
    later = await j.taps(second, j.person.desktop)
    await j.minutes(2, 60)
    await j.signs_up(j.person.desktop, token=later.location_parameter(TOKEN))
    return first, second
