"""Journeys of people whom nobody brought, and tokens that prove nothing."""

from sandbox.evaluation.handed import SERVER_TIMES, copied, installed
from sandbox.evaluation.journey import LINK, Journey
from sandbox.evaluation.offers import FIRST_TOUCH, LAST_TOUCH
from sandbox.evaluation.web import TOKEN

CRAWLER = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"


async def nobody_in_a_browser(j: Journey) -> None:
    await j.signs_up(j.person.desktop)


async def nobody_in_an_app(j: Journey) -> None:
    """Perhaps others behind the same address are following links just now."""
    opened = await j.opens_app(install_referrer="utm_source=google-play&utm_medium=organic")
    await j.answers(opened, invited_by=None)
    await j.minutes(1, 20)
    await j.signs_up(j.person.phone, token=opened.token)


async def neighbour_followed_a_link(j: Journey) -> None:
    """One candidate behind the address, with a phone that looks the same; another one installs."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone)
    await j.minutes(2, 60)
    await nobody_in_an_app(j)


async def identical_phone_without_device_id(j: Journey) -> None:
    """A roommate with the same phone says yes to the question; this person says no, or nothing."""
    code = await j.friend(LAST_TOUCH)
    await j.taps(code, j.person.phone)
    await j.minutes(2, 40)
    roommate = await j.opens_app(device_id=None)
    says_yes_first = j.happens(0.5)
    if says_yes_first and roommate.token:
        await j.sportsbook.confirm(roommate.token, confirmed=True, at=j.now)
    await j.minutes(0.5, 10)
    opened = await j.opens_app(device_id=None)
    if not says_yes_first and roommate.token:
        await j.sportsbook.confirm(roommate.token, confirmed=True, at=j.now)
    await j.answers(opened, invited_by=None)
    await j.minutes(0.5, 5)
    await j.signs_up(j.person.phone, token=opened.token)


async def neighbour_followed_two(j: Journey) -> str:
    """Asked for the second friend's code, who told this person of it; the first one is unknown."""
    first = await j.friend(FIRST_TOUCH)
    await j.taps(first, j.person.phone)
    await j.hours(3, 30)
    second = await j.friend(FIRST_TOUCH, besides=first)
    await j.taps(second, j.person.phone)
    await j.minutes(5, 60)
    opened = await j.opens_app()
    await j.answers(opened, invited_by=second)
    await j.minutes(1, 20)
    await j.signs_up(j.person.phone, token=opened.token)
    return second


async def shared_phone(j: Journey) -> None:
    """Somebody else opens an account on the phone of a player who was brought by a link."""
    code = await j.friend(LAST_TOUCH)
    opened = await j.opens_app(universal_link=LINK + code)
    await j.signs_up(j.person.phone, token=opened.token, player_id=f"first-{j.person.player_id}")
    await j.days(0.1, 10)
    await j.signs_up(j.person.phone, token=opened.token)


async def existing_player(j: Journey) -> None:
    """Somebody with an account follows a link and goes through the signup once more."""
    await j.signs_up(j.person.desktop)
    await j.days(2, 30)
    page = await j.taps(await j.friend(LAST_TOUCH), j.person.desktop)
    await j.minutes(1, 30)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def own_code(j: Journey) -> None:
    """A player types the own code."""
    at = j.now
    code = await j.sportsbook.code(j.person.player_id, LAST_TOUCH, at=at)
    await j.signs_up(j.person.desktop, code=code)


async def second_account(j: Journey) -> None:
    """A player opens another account with the own link, on the own device."""
    first = f"first-{j.person.player_id}"
    await j.signs_up(j.person.desktop, player_id=first)
    await j.days(1, 20)
    code = await j.sportsbook.code(first, LAST_TOUCH, at=j.now)
    page = await j.taps(code, j.person.desktop)
    await j.minutes(1, 30)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def forged_token(j: Journey) -> None:
    """Another invitation's token with some letters changed."""
    page = await j.taps(await j.friend(LAST_TOUCH), j.person.desktop)
    token = page.location_parameter(TOKEN) or ""
    await j.signs_up(j.person.desktop, token=token[::-1])


async def cut_token(j: Journey) -> str:
    """A messenger has cut the link that the person was really sent."""
    code = await j.friend(LAST_TOUCH)
    page = await j.taps(code, j.person.desktop)
    await j.minutes(1, 30)
    token = page.location_parameter(TOKEN) or ""
    await j.signs_up(j.person.desktop, token=token[:-8])
    return code


async def expired_token(j: Journey) -> None:
    """The promise ended with the signup window."""
    page = await j.taps(await j.friend(LAST_TOUCH), j.person.desktop)
    await j.days(31, 50)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def click_injection(j: Journey) -> None:
    """Malware sees an install begin, and follows its owner's link in the person's name."""
    began = j.now
    await j.minutes(0.2, 1)
    store = await j.taps(await j.friend(LAST_TOUCH), j.person.phone)
    clicked = j.now
    await j.minutes(0.5, 30)
    told = installed(store, clicked=clicked, began=began)
    if j.happens(0.5):
        # Older versions of Play tell the device's times only.
        told |= dict.fromkeys(SERVER_TIMES, 0)
    opened = await j.opens_app(**told)
    await j.minutes(1, 20)
    await j.signs_up(j.person.phone, token=opened.token)


async def previewed_link(j: Journey) -> None:
    """A messenger fetched a link behind this address; the person never followed it."""
    page = await j.taps(await j.friend(LAST_TOUCH), j.person.phone, agent=CRAWLER)
    await j.minutes(1, 30)
    opened = await j.opens_app(clipboard_token=copied(page))
    await j.answers(opened, invited_by=None)
    token = opened.token or page.location_parameter(TOKEN)
    await j.signs_up(j.person.phone, token=token)
