"""Journeys that end in a browser. Each returns the code whose owner truly referred the person."""

from typing import Final

from sandbox.evaluation.campaigns import FIRST_TOUCH, LANDING, LAST_TOUCH
from sandbox.evaluation.install_handoff import play_install_referrer
from sandbox.evaluation.journey import Journey

TYPING_CODE_SHARE: Final = 0.55
"""Share of people without a token who remember the code, or read it again, and type it."""
REMEMBERING_CODE_SHARE: Final = 0.3
"""Share of people who can type the code without reading it again."""
TOKEN: Final = "referral_token"


async def same_browser(j: Journey) -> str:
    code = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(code, j.person.desktop)
    await j.waits_minutes(1, 40)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))
    return code


async def same_browser_days_later(j: Journey) -> str:
    """Sign up days later, when only the first-party cookie keeps the token."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(code, j.person.desktop)
    await j.waits_days(1, 20)
    await j.signs_up(j.person.desktop, cookie=page.cookies.get(TOKEN))
    return code


async def another_browser(j: Journey) -> str:
    """Follow a link in the system's browser, and sign up in another."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone)
    await j.waits_hours(0.1, 30)
    await j.signs_up(j.person.phone, code=code if j.happens(TYPING_CODE_SHARE) else None)
    return code


async def social_app_then_typed(j: Journey) -> str:
    """Follow a link in a social app's browser, and type the code that its page shows."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone, user_agent=j.person.phone.in_app_user_agent)
    await j.waits_minutes(1, 60)
    await j.signs_up(j.person.phone, code=code)
    return code


async def told_by_mouth(j: Journey) -> str:
    """Type a code as somebody who was told it would, with spaces and in lower case."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.signs_up(j.person.desktop, code=f" {code.lower()} ")
    return code


async def typed_against_link(j: Journey) -> str:
    """Type another code than that of the link: the person's own word prevails."""
    followed = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(followed, j.person.desktop)
    await j.waits_hours(0.1, 50)
    typed = await j.code_of_a_friend(LAST_TOUCH, other_than=followed)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN), code=typed)
    return typed


async def mistyped_with_link(j: Journey) -> str:
    """Mistype the code: one that nobody has leaves the link's token valid."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(code, j.person.desktop)
    await j.waits_minutes(1, 40)
    token = page.location_parameter(TOKEN)
    await j.signs_up(j.person.desktop, token=token, code=f"{code}-TYPO")
    return code


async def device_switch(j: Journey) -> str:
    """Follow the link on the phone, and sign up on the computer."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone)
    await j.waits_hours(0.2, 48)
    await j.signs_up(j.person.desktop, code=code if j.happens(TYPING_CODE_SHARE) else None)
    return code


async def cleared_cookies(j: Journey) -> str:
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.desktop)
    await j.waits_days(1, 10)
    await j.signs_up(j.person.desktop, code=code if j.happens(REMEMBERING_CODE_SHARE) else None)
    return code


async def last_of_two(j: Journey) -> str:
    _, second = await _two_links(j, LAST_TOUCH)
    return second


async def first_of_two(j: Journey) -> str:
    first, _ = await _two_links(j, FIRST_TOUCH)
    return first


async def one_of_two_at_a_computer(j: Journey) -> str:
    """Share a browser with somebody who follows a later link and signs up first."""
    own = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(own, j.person.desktop)
    await j.waits_hours(0.1, 20)
    others = await j.code_of_a_friend(LAST_TOUCH, other_than=own)
    later = await j.follows_link(others, j.person.desktop)
    other = f"other-{j.person.player_id}"
    token = later.location_parameter(TOKEN)
    await j.signs_up(j.person.desktop, token=token, player_id=other)
    await j.waits_hours(0.1, 20)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))
    return own


async def scanned_from_a_desktop(j: Journey) -> str:
    """Scan the QR code that the page on the computer shows, and install from the phone's store."""
    code = await j.code_of_a_friend(LANDING)
    await j.follows_link(code, j.person.desktop)
    await j.waits_minutes(0.2, 5)
    page = await j.follows_link(code, j.person.phone, via="qr")
    scanned_at = j.now
    await j.waits_minutes(0.2, 10)
    began_at = j.now
    await j.waits_hours(0.1, 100)
    first_open = await j.opens_app(
        **play_install_referrer(page, clicked_at=scanned_at, began_at=began_at)
    )
    await j.waits_minutes(1, 20)
    await j.signs_up(j.person.phone, token=first_open.token)
    return code


async def _two_links(j: Journey, campaign: str) -> tuple[str, str]:
    first = await j.code_of_a_friend(campaign)
    await j.follows_link(first, j.person.desktop)
    await j.waits_hours(1, 100)
    second = await j.code_of_a_friend(campaign, other_than=first)
    later = await j.follows_link(second, j.person.desktop)
    await j.waits_minutes(2, 60)
    await j.signs_up(j.person.desktop, token=later.location_parameter(TOKEN))
    return first, second
