"""Journeys through an app store. Each returns the code whose owner truly referred the person."""

from typing import Final

from sandbox.evaluation.campaigns import LAST_TOUCH
from sandbox.evaluation.install_handoff import copied_link, play_install_referrer
from sandbox.evaluation.journey import LINK_PREFIX, Journey
from sandbox.evaluation.web_journeys import REMEMBERING_CODE_SHARE
from sandbox.evaluation.world import relay_address

ANSWERING_FIRST_SHARE: Final = 0.7
"""Share of people who answer a question before they sign up; the others answer afterwards."""


async def installed_later_from_play(j: Journey) -> str:
    """Install days later from Google Play, which keeps the referrer and its times until then."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    store = await j.follows_link(code, j.person.phone)
    clicked_at = j.now
    await j.waits_minutes(0.2, 30)
    began_at = j.now
    await j.waits_days(0.01, 6)
    first_open = await j.opens_app(
        **play_install_referrer(store, clicked_at=clicked_at, began_at=began_at)
    )
    await j.waits_minutes(1, 30)
    await j.signs_up(j.person.phone, token=first_open.token)
    return code


async def installed_later_with_clipboard(j: Journey) -> str:
    """Install days later, and let the app paste the token that the page copied at a tap."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(code, j.person.phone)
    await j.waits_days(0.01, 6)
    first_open = await j.opens_app(clipboard_token=copied_link(page))
    await j.waits_minutes(1, 30)
    await j.signs_up(j.person.phone, token=first_open.token)
    return code


async def installed_without_consent(j: Journey) -> str:
    """Install from the App Store, which passes on nothing: only address and device traits match."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone)
    await j.waits_minutes(2, 200)
    return await _opens_and_signs_up(j, code)


async def behind_a_relay(j: Journey) -> str:
    """Follow the link and open the app from two addresses of a relay."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone, ip=relay_address(j.rng))
    await j.waits_minutes(2, 90)
    return await _opens_and_signs_up(j, code, ip=relay_address(j.rng))


async def link_into_installed_app(j: Journey) -> str:
    """Open the link in the installed app, which the system hands it to; no browser sees it."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    first_open = await j.opens_app(universal_link=LINK_PREFIX + code)
    await j.waits_minutes(1, 60)
    await j.signs_up(j.person.phone, token=first_open.token)
    return code


async def code_within_grace(j: Journey) -> str:
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.signs_up(j.person.phone)
    await j.waits_hours(0.2, 10)
    if j.happens(0.5):
        # A deposit before the claim counts once the code is claimed.
        await j.deposits()
    await j.waits_hours(0.2, 13)
    await j.claims(code)
    return code


async def code_before_the_signup_is_heard(j: Journey) -> str:
    """Claim a code before the signup is reported, because the signup service was down."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    signed_up_at = j.now
    await j.waits_minutes(5, 60)
    await j.claims(code)
    await j.waits_hours(0.2, 12)
    await j.signs_up(j.person.phone, at=signed_up_at)
    return code


async def changed_mind(j: Journey) -> str:
    """Sign up with one friend's link, and claim another friend's code within the grace."""
    followed = await link_into_installed_app(j)
    await j.waits_hours(0.2, 20)
    named = await j.code_of_a_friend(LAST_TOUCH, other_than=followed)
    await j.claims(named)
    return named


async def code_after_grace(j: Journey) -> str:
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.signs_up(j.person.phone)
    await j.waits_hours(25, 200)
    await j.claims(code)
    return code


async def reinstalled(j: Journey) -> str:
    """Install the app again from another friend's link, which changes nothing."""
    code = await link_into_installed_app(j)
    await j.waits_days(1, 5)
    await j.deposits()
    await j.waits_days(5, 20)
    other = await j.code_of_a_friend(LAST_TOUCH, other_than=code)
    first_open = await j.opens_app(universal_link=LINK_PREFIX + other)
    await j.signs_up(j.person.phone, token=first_open.token)
    await j.claims(other)
    return code


async def _opens_and_signs_up(j: Journey, code: str, *, ip: str | None = None) -> str:
    first_open = await j.opens_app(ip=ip or j.person.ip)
    answers_first = j.happens(ANSWERING_FIRST_SHARE)
    if answers_first:
        await j.answers(first_open, invited_by=code)
    await j.waits_minutes(1, 20)
    typed = code if j.happens(REMEMBERING_CODE_SHARE) else None
    await j.signs_up(j.person.phone, token=first_open.token, code=typed)
    if not answers_first:
        await j.answers(first_open, invited_by=code)
    return code
