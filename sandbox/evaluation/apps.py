"""Journeys through an app store. Each returns the code that truthfully brought the person."""

from typing import Final

from sandbox.evaluation.handed import copied, installed
from sandbox.evaluation.journey import LINK, Journey
from sandbox.evaluation.offers import LAST_TOUCH
from sandbox.evaluation.web import REMEMBERING_CODE_SHARE
from sandbox.evaluation.world import relay_address

ANSWERING_FIRST_SHARE: Final = 0.7
"""The share of people who answer a question before they sign up; the others do it afterwards."""


async def installed_later_from_play(j: Journey) -> str:
    """Play keeps the referrer, with its times, until the first open."""
    code = await j.friend(LAST_TOUCH)
    store = await j.taps(code, j.person.phone)
    clicked = j.now
    await j.minutes(0.2, 30)
    began = j.now
    await j.days(0.01, 6)
    opened = await j.opens_app(**installed(store, clicked=clicked, began=began))
    await j.minutes(1, 30)
    await j.signs_up(j.person.phone, token=opened.token)
    return code


async def installed_later_with_clipboard(j: Journey) -> str:
    """The page copies the token at a tap, and the app may paste it: the person allows it."""
    code = await j.friend(LAST_TOUCH)
    page = await j.taps(code, j.person.phone)
    await j.days(0.01, 6)
    opened = await j.opens_app(clipboard_token=copied(page))
    await j.minutes(1, 30)
    await j.signs_up(j.person.phone, token=opened.token)
    return code


async def installed_without_consent(j: Journey) -> str:
    """Nothing crosses the App Store: only the network and the looks of the phone tell."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone)
    await j.minutes(2, 200)
    return await _opens_and_signs_up(j, code)


async def behind_a_relay(j: Journey) -> str:
    """Each request comes from another address."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone, ip=relay_address(j.draw))
    await j.minutes(2, 90)
    return await _opens_and_signs_up(j, code, ip=relay_address(j.draw))


async def link_into_installed_app(j: Journey) -> str:
    """The system hands the link to the app; no browser sees it."""
    code = await j.friend(LAST_TOUCH)
    opened = await j.opens_app(universal_link=LINK + code)
    await j.minutes(1, 60)
    await j.signs_up(j.person.phone, token=opened.token)
    return code


async def code_within_grace(j: Journey) -> str:
    code = await j.friend(LAST_TOUCH)
    await j.signs_up(j.person.phone)
    await j.hours(0.2, 10)
    if j.happens(0.5):
        # What was deposited before the code was typed counts once it is.
        await j.deposits()
    await j.hours(0.2, 13)
    await j.claims(code)
    return code


async def code_before_the_signup_is_heard(j: Journey) -> str:
    """The signup service was away: the code arrives first, and waits."""
    code = await j.friend(LAST_TOUCH)
    signed_up_at = j.now
    await j.minutes(5, 60)
    await j.claims(code)
    await j.hours(0.2, 12)
    await j.signs_up(j.person.phone, at=signed_up_at)
    return code


async def changed_mind(j: Journey) -> str:
    """Brought by one friend's link, the person names another within the grace."""
    followed = await link_into_installed_app(j)
    await j.hours(0.2, 20)
    named = await j.friend(LAST_TOUCH, besides=followed)
    await j.claims(named)
    return named


async def code_after_grace(j: Journey) -> str:
    code = await j.friend(LAST_TOUCH)
    await j.signs_up(j.person.phone)
    await j.hours(25, 200)
    await j.claims(code)
    return code


async def reinstalled(j: Journey) -> str:
    """Whoever was brought once stays so, though the app is installed again from another's link."""
    code = await link_into_installed_app(j)
    await j.days(1, 5)
    await j.deposits()
    await j.days(5, 20)
    other = await j.friend(LAST_TOUCH, besides=code)
    opened = await j.opens_app(universal_link=LINK + other)
    await j.signs_up(j.person.phone, token=opened.token)
    await j.claims(other)
    return code


async def _opens_and_signs_up(j: Journey, code: str, *, ip: str | None = None) -> str:
    opened = await j.opens_app(ip=ip or j.person.ip)
    answers_first = j.happens(ANSWERING_FIRST_SHARE)
    if answers_first:
        await j.answers(opened, invited_by=code)
    await j.minutes(1, 20)
    typed = code if j.happens(REMEMBERING_CODE_SHARE) else None
    await j.signs_up(j.person.phone, token=opened.token, code=typed)
    if not answers_first:
        await j.answers(opened, invited_by=code)
    return code
