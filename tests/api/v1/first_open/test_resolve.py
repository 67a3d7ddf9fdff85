"""An app's first open, attributed by the most confident token or link that it presents."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from httpx import AsyncClient

from db.engine import Database
from db.tables import ReferralRow
from domain.attribution.policy import Method
from referrals.attribution.tokens import TokenOutcome
from runtime.settings import Settings
from tests.api.attribution_steps import referral_of, sign_up
from tests.api.bodies import create_code, publish_campaign, unique
from tests.api.first_opens import (
    NO_MATCH_ANSWER,
    PHONE_TRAITS,
    follow_link,
    play_install,
    resolve,
    tampered_with,
    tokens_of,
    touches_of,
    unique_ip,
)

FIELD_TEMPLATES = {
    "universal_link": "https://refer.example/open?referral_token={token}",
    "clipboard_token": "{token}",
    "cookie_token": "{token}",
}


@pytest.mark.parametrize(
    ("field", "method", "confidence"),
    [
        ("universal_link", "universal_link", 1.0),
        ("clipboard_token", "clipboard", 0.95),
        ("cookie_token", "cookie", 0.9),
    ],
)
async def test_a_token_is_exchanged_for_one_that_records_its_method(
    client: AsyncClient, settings: Settings, field: str, method: str, confidence: float
) -> None:
    code = await create_code(client)
    token = await follow_link(client, code)
    result = await resolve(client, **{field: FIELD_TEMPLATES[field].format(token=token)})
    assert (result["code"], result["method"], result["confidence"]) == (code, method, confidence)
    assert (result["guaranteed"], result["ask"]) == (True, None)
    now = datetime.now(UTC)
    before = tokens_of(settings).read(token, at=now)
    after = tokens_of(settings).read(result["referral_token"], at=now)
    assert (after.outcome, after.subject, after.method) == (
        TokenOutcome.VALID,
        before.subject,
        Method(method),
    )


async def test_an_install_from_play_binds_the_signup_by_its_referrer(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    token = await follow_link(client, code)
    result = await resolve(client, **play_install(token))
    assert (result["method"], result["guaranteed"], result["code"]) == (
        "install_referrer",
        True,
        code,
    )
    player = await sign_up(
        client, database, age=timedelta(0), referral_token=result["referral_token"]
    )
    referral = await referral_of(client, player)
    assert referral["code"] == code
    assert referral["attribution"]["method"] == "install_referrer"


async def test_the_times_of_play_are_kept_as_evidence(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    token = await follow_link(client, await create_code(client))
    device = unique("device")
    body = play_install(token)
    await resolve(client, **body, device_id=device, device_model="Pixel 8", ip=unique_ip())
    (touch,) = await touches_of(database, settings, device)
    assert touch.evidence == {name: body[name] for name in body if name != "platform"}
    hashes = [touch.ip, touch.device_id, touch.visitor, *touch.device_traits.values()]
    assert all(text is not None and text.startswith("hm1:") for text in hashes)


async def test_a_universal_link_with_a_code_is_followed_by_the_device(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, device = await create_code(client), unique("device")
    link = f"https://refer.example/r/{code.lower()}"
    result = await resolve(client, universal_link=link, device_id=device)
    assert (result["code"], result["method"], result["guaranteed"]) == (
        code,
        "universal_link",
        True,
    )
    player = await sign_up(
        client, database, age=timedelta(0), referral_token=result["referral_token"]
    )
    assert (await referral_of(client, player))["attribution"]["method"] == "universal_link"
    (touch,) = await touches_of(database, settings, device)
    assert (touch.method, touch.code) == (Method.UNIVERSAL_LINK, code)


async def test_a_link_with_a_code_in_a_clipboard_is_stored_with_the_confidence_it_has(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, device = await create_code(client), unique("device")
    link = f"https://refer.example/r/{code}"
    for _ in range(2):
        result = await resolve(client, clipboard_token=link, device_id=device)
        assert (result["method"], result["confidence"]) == ("clipboard", 0.95)
    kept = await touches_of(database, settings, device)
    assert {touch.confidence for touch in kept} == {0.95}


async def test_answers_the_most_confident_method_and_keeps_the_others(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    codes = [await create_code(client) for _ in range(3)]
    tokens = [await follow_link(client, code) for code in codes]
    device = unique("device")
    everything = {
        "cookie_token": tokens[2],
        "clipboard_token": tokens[1],
        **play_install(tokens[0]),
        "device_id": device,
    }
    assert (await resolve(client, **everything))["code"] == codes[0]
    del everything["install_referrer"]
    assert (await resolve(client, **everything))["code"] == codes[1]
    del everything["clipboard_token"]
    assert (await resolve(client, **everything))["code"] == codes[2]
    kept = await touches_of(database, settings, device)
    assert {(touch.method, touch.code) for touch in kept} == {
        (Method.INSTALL_REFERRER, codes[0]),
        (Method.CLIPBOARD, codes[1]),
        (Method.COOKIE, codes[2]),
    }


async def test_a_token_keeps_the_lowest_confidence_it_was_carried_with(client: AsyncClient) -> None:
    token = await follow_link(client, await create_code(client))
    by_cookie = (await resolve(client, cookie_token=token))["referral_token"]
    link = FIELD_TEMPLATES["universal_link"].format(token=by_cookie)
    result = await resolve(client, universal_link=link)
    assert (result["method"], result["confidence"]) == ("cookie", 0.9)


async def test_one_method_that_fails_does_not_spoil_the_next(client: AsyncClient) -> None:
    code = await create_code(client)
    token = await follow_link(client, code)
    result = await resolve(
        client,
        **play_install(tampered_with(token)),
        clipboard_token=token,
        universal_link="https://evil.example/",
    )
    assert (result["code"], result["method"]) == (code, "clipboard")


@pytest.mark.parametrize("with_device", [True, False])
async def test_the_same_request_again_is_answered_alike_and_touches_once(
    client: AsyncClient, database: Database, settings: Settings, *, with_device: bool
) -> None:
    code, device = await create_code(client), unique("device")
    token = await follow_link(client, code)
    body = {
        "universal_link": f"https://refer.example/r/{code}",
        "clipboard_token": token,
        "device_id": device if with_device else None,
        "device_model": unique("phone"),
    }
    answers = await asyncio.gather(*(resolve(client, **body) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == code
    if with_device:
        assert len(await touches_of(database, settings, device)) == 2
    else:
        subject = tokens_of(settings).read(answers[0]["referral_token"], at=datetime.now(UTC))
        async with database.reading() as session:
            row = await session.get_one(ReferralRow, subject.subject)
        assert row.code == code


async def test_an_install_whose_times_are_unknown_is_believed(client: AsyncClient) -> None:
    code = await create_code(client)
    result = await resolve(
        client,
        platform="android",
        install_referrer=urlencode({"referral_token": await follow_link(client, code)}),
        install_begin_timestamp_seconds=0,
        referrer_click_timestamp_seconds=None,
    )
    assert result["code"] == code


async def test_a_link_that_another_player_used_still_refers_the_next(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    token = await follow_link(client, code)
    await sign_up(client, database, age=timedelta(0), referral_token=token)
    result = await resolve(client, clipboard_token=token)
    assert result["code"] == code
    second = await sign_up(
        client, database, age=timedelta(0), referral_token=result["referral_token"]
    )
    assert (await referral_of(client, second))["code"] == code


async def test_a_friends_message_in_the_clipboard_is_the_invitation_in_it(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, device = await create_code(client), unique("device")
    message = f"Bet with me! {settings.public_url}/r/{code.lower()}."
    result = await resolve(client, clipboard_token=message, device_id=device)
    again = await resolve(client, clipboard_token=message, device_id=device)
    player = await sign_up(
        client, database, age=timedelta(0), referral_token=result["referral_token"]
    )
    assert (result["code"], result["method"], result["guaranteed"]) == (code, "clipboard", True)
    assert again == result
    assert (await referral_of(client, player))["attribution"]["method"] == "clipboard"
    (touch,) = await touches_of(database, settings, device)
    assert (touch.code, touch.evidence) == (code, {})


async def test_a_link_counts_only_where_its_campaign_accepts_it(
    client: AsyncClient, settings: Settings
) -> None:
    order = [{"methods": ["typed_code"]}]
    slug = await publish_campaign(client, attribution={"order": order})
    link = f"{settings.public_url}/r/{await create_code(client, slug)}"
    assert await resolve(client, universal_link=link) == NO_MATCH_ANSWER
    assert await resolve(client, clipboard_token=link) == NO_MATCH_ANSWER


async def test_an_app_that_presents_nothing_gets_no_match(client: AsyncClient) -> None:
    organic = {"install_referrer": "utm_source=google-play&utm_medium=organic"}
    for body in (
        {},
        organic,
        {"clipboard_token": "a shopping list"},
        {**PHONE_TRAITS, "ip": unique_ip()},
    ):
        assert await resolve(client, **body) == NO_MATCH_ANSWER


async def test_a_token_of_the_signup_outranks_a_later_link(
    client: AsyncClient, database: Database
) -> None:
    code, later = await create_code(client), await create_code(client)
    visitor = unique("visitor")
    token = await follow_link(client, code, visitor_id=visitor)
    await follow_link(client, later, visitor_id=visitor)
    found = await resolve(client, clipboard_token=token, device_id=unique("device"))

    player = await sign_up(client, database, age=timedelta(0), referral_token=token)

    referral = await referral_of(client, player)
    assert (found["code"], found["method"]) == (code, "clipboard")
    assert (referral["code"], referral["attribution"]["method"]) == (code, "referral_token")
