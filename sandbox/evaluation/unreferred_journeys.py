"""Journeys of people whom nobody referred, and tokens that prove nothing."""

from sandbox.evaluation.campaigns import FIRST_TOUCH, LAST_TOUCH
from sandbox.evaluation.install_handoff import SERVER_TIMES, copied_link, play_install_referrer
from sandbox.evaluation.journey import LINK_PREFIX, Journey
from sandbox.evaluation.web_journeys import TOKEN

CRAWLER = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"


async def nobody_in_a_browser(j: Journey) -> None:
    await j.signs_up(j.person.desktop)


async def nobody_in_an_app(j: Journey) -> None:
    """Install from the store; others behind the same address may be following links just then."""
    first_open = await j.opens_app(install_referrer="utm_source=google-play&utm_medium=organic")
    await j.answers(first_open, invited_by=None)
    await j.waits_minutes(1, 20)
    await j.signs_up(j.person.phone, token=first_open.token)


async def neighbour_followed_a_link(j: Journey) -> None:
    """Install while a neighbour with such a phone has followed a link behind the same address."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone)
    await j.waits_minutes(2, 60)
    await nobody_in_an_app(j)


async def identical_phone_without_device_id(j: Journey) -> None:
    """Have the same phone as a roommate who confirms; deny the question, or ignore it."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    await j.follows_link(code, j.person.phone)
    await j.waits_minutes(2, 40)
    roommate = await j.opens_app(device_id=None)
    says_yes_first = j.happens(0.5)
    if says_yes_first and roommate.token:
        await j.sportsbook.confirm(roommate.token, confirmed=True, at=j.now)
    await j.waits_minutes(0.5, 10)
    first_open = await j.opens_app(device_id=None)
    if not says_yes_first and roommate.token:
        await j.sportsbook.confirm(roommate.token, confirmed=True, at=j.now)
    await j.answers(first_open, invited_by=None)
    await j.waits_minutes(0.5, 5)
    await j.signs_up(j.person.phone, token=first_open.token)


async def neighbour_followed_two(j: Journey) -> str:
    """Answer for the second of two codes followed behind the address, whose owner is a friend."""
    first = await j.code_of_a_friend(FIRST_TOUCH)
    await j.follows_link(first, j.person.phone)
    await j.waits_hours(3, 30)
    second = await j.code_of_a_friend(FIRST_TOUCH, other_than=first)
    await j.follows_link(second, j.person.phone)
    await j.waits_minutes(5, 60)
    first_open = await j.opens_app()
    await j.answers(first_open, invited_by=second)
    await j.waits_minutes(1, 20)
    await j.signs_up(j.person.phone, token=first_open.token)
    return second


async def shared_phone(j: Journey) -> None:
    """Sign up on the phone of a player who signed up with a link."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    first_open = await j.opens_app(universal_link=LINK_PREFIX + code)
    await j.signs_up(
        j.person.phone, token=first_open.token, player_id=f"first-{j.person.player_id}"
    )
    await j.waits_days(0.1, 10)
    await j.signs_up(j.person.phone, token=first_open.token)


async def existing_player(j: Journey) -> None:
    """Follow a link and sign up again, as somebody who has an account."""
    await j.signs_up(j.person.desktop)
    await j.waits_days(2, 30)
    page = await j.follows_link(await j.code_of_a_friend(LAST_TOUCH), j.person.desktop)
    await j.waits_minutes(1, 30)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def own_code(j: Journey) -> None:
    """Sign up with the player's own code."""
    at = j.now
    code = await j.sportsbook.code_of(j.person.player_id, LAST_TOUCH, at=at)
    await j.signs_up(j.person.desktop, code=code)


async def second_account(j: Journey) -> None:
    """Open a second account with the own link, on the same device."""
    first = f"first-{j.person.player_id}"
    await j.signs_up(j.person.desktop, player_id=first)
    await j.waits_days(1, 20)
    code = await j.sportsbook.code_of(first, LAST_TOUCH, at=j.now)
    page = await j.follows_link(code, j.person.desktop)
    await j.waits_minutes(1, 30)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def forged_token(j: Journey) -> None:
    """Sign up with a token that no server issued."""
    page = await j.follows_link(await j.code_of_a_friend(LAST_TOUCH), j.person.desktop)
    token = page.location_parameter(TOKEN) or ""
    await j.signs_up(j.person.desktop, token=token[::-1])


async def cut_token(j: Journey) -> str:
    """Sign up with a real token whose end a messenger has cut off."""
    code = await j.code_of_a_friend(LAST_TOUCH)
    page = await j.follows_link(code, j.person.desktop)
    await j.waits_minutes(1, 30)
    token = page.location_parameter(TOKEN) or ""
    await j.signs_up(j.person.desktop, token=token[:-8])
    return code


async def expired_token(j: Journey) -> None:
    """Sign up after the signup window, with which the promise ended."""
    page = await j.follows_link(await j.code_of_a_friend(LAST_TOUCH), j.person.desktop)
    await j.waits_days(31, 50)
    await j.signs_up(j.person.desktop, token=page.location_parameter(TOKEN))


async def click_injection(j: Journey) -> None:
    """Install from the store while malware follows its owner's link after the install began."""
    began_at = j.now
    await j.waits_minutes(0.2, 1)
    store = await j.follows_link(await j.code_of_a_friend(LAST_TOUCH), j.person.phone)
    clicked_at = j.now
    await j.waits_minutes(0.5, 30)
    install_fields = play_install_referrer(store, clicked_at=clicked_at, began_at=began_at)
    if j.happens(0.5):
        # Older versions of Play report the device's times only.
        install_fields |= dict.fromkeys(SERVER_TIMES, 0)
    first_open = await j.opens_app(**install_fields)
    await j.waits_minutes(1, 20)
    await j.signs_up(j.person.phone, token=first_open.token)


async def previewed_link(j: Journey) -> None:
    """Sign up with the token of a link that only a messenger's crawler fetched at this address."""
    page = await j.follows_link(
        await j.code_of_a_friend(LAST_TOUCH), j.person.phone, user_agent=CRAWLER
    )
    await j.waits_minutes(1, 30)
    first_open = await j.opens_app(clipboard_token=copied_link(page))
    await j.answers(first_open, invited_by=None)
    token = first_open.token or page.location_parameter(TOKEN)
    await j.signs_up(j.person.phone, token=token)
