"""An app's first open: who brought its person, as far as that can be known for sure."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from httpx import AsyncClient

from db.engine import Database
from db.tables import ReferralRow
from domain.attribution import Method
from settings import Settings
from tests.api.arrivals import referral_of, signed_up
from tests.api.bodies import assert_problem, code_of_a_new_player, published, terms, unique
from tests.api.first_opens import (
    BROWSER,
    NOTHING,
    PHONE,
    an_address,
    followed,
    installed,
    outcomes_of,
    resolved,
    touches_of,
)
from tokens import Outcome, issue, read

WAYS = {
    "universal_link": "https://refer.example/open?referral_token={token}",
    "clipboard_token": "{token}",
    "cookie_token": "{token}",
}


def token_key(settings: Settings) -> bytes:
    return settings.token_key.get_secret_value().encode()


def cut(token: str) -> str:
    return token[:-3] + ("AAA" if not token.endswith("AAA") else "BBB")


@pytest.mark.parametrize(
    ("field", "method", "confidence"),
    [
        ("universal_link", "universal_link", 1.0),
        ("clipboard_token", "clipboard", 0.95),
        ("cookie_token", "cookie", 0.9),
    ],
)
async def test_a_token_is_answered_with_one_that_says_how_it_came(
    client: AsyncClient, settings: Settings, field: str, method: str, confidence: float
) -> None:
    code = await code_of_a_new_player(client)
    token = await followed(client, code)
    told = await resolved(client, **{field: WAYS[field].format(token=token)})
    assert (told["code"], told["method"], told["confidence"]) == (code, method, confidence)
    assert (told["guaranteed"], told["ask"]) == (True, None)
    now = datetime.now(UTC)
    before = read(token, key=token_key(settings), at=now)
    after = read(told["referral_token"], key=token_key(settings), at=now)
    assert (after.outcome, after.subject, after.method) == (
        Outcome.VALID,
        before.subject,
        Method(method),
    )


async def test_an_install_from_play_binds_the_signup_by_its_referrer(
    client: AsyncClient, database: Database
) -> None:
    code = await code_of_a_new_player(client)
    token = await followed(client, code)
    told = await resolved(client, **installed(token))
    assert (told["method"], told["guaranteed"], told["code"]) == ("install_referrer", True, code)
    player = await signed_up(
        client, database, since=timedelta(0), referral_token=told["referral_token"]
    )
    referral = await referral_of(client, player)
    assert referral["code"] == code
    assert referral["attribution"]["method"] == "install_referrer"


async def test_what_play_told_is_kept_as_evidence(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    token = await followed(client, await code_of_a_new_player(client))
    device = unique("device")
    body = installed(token)
    await resolved(client, **body, device_id=device, device_model="Pixel 8", ip=an_address())
    (touch,) = await touches_of(database, settings, device)
    assert touch.evidence == {name: body[name] for name in body if name != "platform"}
    hashes = [touch.ip, touch.device_id, touch.visitor, *touch.signals.values()]
    assert all(text is not None and text.startswith("hm1:") for text in hashes)


async def test_a_universal_link_with_a_code_is_followed_by_the_device(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, device = await code_of_a_new_player(client), unique("device")
    link = f"https://refer.example/r/{code.lower()}"
    told = await resolved(client, universal_link=link, device_id=device)
    assert (told["code"], told["method"], told["guaranteed"]) == (code, "universal_link", True)
    player = await signed_up(
        client, database, since=timedelta(0), referral_token=told["referral_token"]
    )
    assert (await referral_of(client, player))["attribution"]["method"] == "universal_link"
    (touch,) = await touches_of(database, settings, device)
    assert (touch.method, touch.code) == (Method.UNIVERSAL_LINK, code)


async def test_the_surest_way_is_answered_and_the_others_are_kept(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    codes = [await code_of_a_new_player(client) for _ in range(3)]
    tokens = [await followed(client, code) for code in codes]
    device = unique("device")
    everything = {
        "cookie_token": tokens[2],
        "clipboard_token": tokens[1],
        **installed(tokens[0]),
        "device_id": device,
    }
    assert (await resolved(client, **everything))["code"] == codes[0]
    del everything["install_referrer"]
    assert (await resolved(client, **everything))["code"] == codes[1]
    del everything["clipboard_token"]
    assert (await resolved(client, **everything))["code"] == codes[2]
    kept = await touches_of(database, settings, device)
    assert {(touch.method, touch.code) for touch in kept} == {
        (Method.INSTALL_REFERRER, codes[0]),
        (Method.CLIPBOARD, codes[1]),
        (Method.COOKIE, codes[2]),
    }


async def test_one_way_that_fails_does_not_spoil_the_next(client: AsyncClient) -> None:
    code = await code_of_a_new_player(client)
    token = await followed(client, code)
    told = await resolved(
        client,
        **installed(cut(token)),
        clipboard_token=token,
        universal_link="https://evil.example/",
    )
    assert (told["code"], told["method"]) == (code, "clipboard")


@pytest.mark.parametrize("with_device", [True, False])
async def test_the_same_request_again_is_answered_alike_and_touches_once(
    client: AsyncClient, database: Database, settings: Settings, *, with_device: bool
) -> None:
    code, device = await code_of_a_new_player(client), unique("device")
    token = await followed(client, code)
    body = {
        "universal_link": f"https://refer.example/r/{code}",
        "clipboard_token": token,
        "device_id": device if with_device else None,
        "device_model": unique("phone"),
    }
    answers = await asyncio.gather(*(resolved(client, **body) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == code
    if with_device:
        assert len(await touches_of(database, settings, device)) == 2
    else:
        subject = read(answers[0]["referral_token"], key=token_key(settings), at=datetime.now(UTC))
        async with database.reading() as session:
            row = await session.get_one(ReferralRow, subject.subject)
        assert row.code == code


def _injected(token: str) -> dict[str, object]:
    return installed(token, clicked_s=10, began_s=5)


async def test_a_click_after_the_install_began_is_refused_and_counted(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    before = await refused(client, "click_injection")
    token = await followed(client, await code_of_a_new_player(client))
    device = unique("device")
    assert await resolved(client, **_injected(token), device_id=device) == NOTHING
    (touch,) = await touches_of(database, settings, device)
    assert (touch.refusal, touch.evidence["rule"]) == (
        "click_injection",
        "click_after_install_began",
    )
    assert await outcomes_of(database, [touch]) == ["click_injection"]
    assert await refused(client, "click_injection") == before + 1


@pytest.mark.parametrize(
    ("clicked_s", "began_s"),
    [(3600, 3601), (1, 3600), (-3600, -3000), (-3600, 1), (-100 * 86_400, -100 * 86_400)],
    ids=["both ahead", "begun ahead", "before the invitation", "clicked before it", "very old"],
)
async def test_impossible_times_are_refused(
    client: AsyncClient, clicked_s: int, began_s: int
) -> None:
    token = await followed(client, await code_of_a_new_player(client))
    body = installed(token, clicked_s=clicked_s, began_s=began_s)
    assert await resolved(client, **body) == NOTHING


async def test_an_install_whose_times_are_unknown_is_believed(client: AsyncClient) -> None:
    code = await code_of_a_new_player(client)
    told = await resolved(
        client,
        platform="android",
        install_referrer=urlencode({"referral_token": await followed(client, code)}),
        install_begin_timestamp_seconds=0,
        referrer_click_timestamp_seconds=None,
    )
    assert told["code"] == code


@pytest.mark.parametrize("spoil", ["injected", "forged"])
async def test_whoever_tampers_is_not_helped_by_a_guess(client: AsyncClient, spoil: str) -> None:
    code, ip = await code_of_a_new_player(client), an_address()
    token = await followed(client, code, ip=ip, **BROWSER)
    assert (await resolved(client, **PHONE, ip=ip))["code"] == code
    spoilt = _injected(token) if spoil == "injected" else {"cookie_token": cut(token)}
    assert await resolved(client, **{**PHONE, **spoilt, "platform": "ios"}, ip=ip) == NOTHING


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"universal_link": "https://evil.example/r/{code}"}, "not_accepted"),
        ({"universal_link": "https://evil.example/?referral_token={token}"}, "not_accepted"),
        ({"universal_link": "https://refer.example/r/NOBODY-HAS-IT"}, "unknown_code"),
        ({"clipboard_token": "{cut}"}, "forged_token"),
        ({"cookie_token": "{cut}"}, "forged_token"),
        ({"clipboard_token": "{expired}"}, "expired_token"),
        ({"clipboard_token": "{elsewhere}"}, "unknown_referral"),
        ({"platform": "android", "install_referrer": "referral_token={cut}"}, "forged_token"),
    ],
)
async def test_what_does_not_hold_is_answered_with_nothing_and_logged(
    client: AsyncClient,
    database: Database,
    settings: Settings,
    body: dict[str, str],
    refusal: str,
) -> None:
    code, key = await code_of_a_new_player(client), token_key(settings)
    token, now = await followed(client, code), datetime.now(UTC)
    reading = read(token, key=key, at=now)
    assert reading.subject is not None
    texts = {
        "code": code,
        "token": token,
        "cut": cut(token),
        "expired": issue(reading.subject, expires_at=now - timedelta(seconds=2), key=key),
        "elsewhere": issue(uuid4(), expires_at=now + timedelta(days=1), key=key),
    }
    filled = {name: text.format(**texts) for name, text in body.items()}
    device = unique("device")
    for _ in range(2):
        assert await resolved(client, **filled, device_id=device) == NOTHING
    (touch,) = await touches_of(database, settings, device)
    assert touch.refusal == refusal
    assert await outcomes_of(database, [touch]) == [refusal]


@pytest.mark.parametrize(
    ("step", "refusal"), [("pause", "campaign_paused"), ("end", "campaign_ended")]
)
async def test_a_link_of_a_closed_offer_looks_like_an_unknown_one(
    client: AsyncClient, database: Database, settings: Settings, step: str, refusal: str
) -> None:
    campaign = await published(client)
    code = await code_of_a_new_player(client, campaign)
    assert (await client.post(f"/v1/campaigns/{campaign}/{step}")).status_code == 200
    device = unique("device")
    link = f"https://refer.example/r/{code}"
    assert await resolved(client, universal_link=link, device_id=device) == NOTHING
    (touch,) = await touches_of(database, settings, device)
    assert touch.refusal == refusal


async def test_an_invitation_whose_window_is_over_brings_nobody(
    client: AsyncClient, owner_database: Database, settings: Settings
) -> None:
    campaign = await published(client, terms=terms(signup_window="P1D"))
    token = await followed(client, await code_of_a_new_player(client, campaign))
    reading = read(token, key=token_key(settings), at=datetime.now(UTC))
    async with owner_database.transaction() as session:
        row = await session.get_one(ReferralRow, reading.subject)
        row.invited_at -= timedelta(days=2)
    assert await resolved(client, clipboard_token=token) == NOTHING


async def test_a_link_that_somebody_else_used_up_still_brings_the_next(
    client: AsyncClient, database: Database
) -> None:
    code = await code_of_a_new_player(client)
    token = await followed(client, code)
    await signed_up(client, database, since=timedelta(0), referral_token=token)
    told = await resolved(client, clipboard_token=token)
    assert told["code"] == code
    second = await signed_up(
        client, database, since=timedelta(0), referral_token=told["referral_token"]
    )
    assert (await referral_of(client, second))["code"] == code


async def test_a_device_on_which_a_player_signed_up_is_no_new_person(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    device, ip = unique("device"), an_address()
    player = await signed_up(client, database, device_id=device)
    code = await code_of_a_new_player(client)
    token = await followed(client, code, ip=ip, **BROWSER)
    for body in (
        {"clipboard_token": token},
        {"universal_link": f"https://refer.example/r/{code}"},
        {},
    ):
        assert await resolved(client, **PHONE, **body, ip=ip, device_id=device) == NOTHING
    touches = await touches_of(database, settings, device)
    assert {touch.refusal for touch in touches} == {"existing_player"}
    assert {touch.player_id for touch in touches} == {player}
    assert await outcomes_of(database, touches) == ["existing_player"] * 3


async def test_a_way_that_the_campaign_does_not_accept_is_not_answered(client: AsyncClient) -> None:
    order = [{"methods": ["typed_code"]}, {"methods": ["referral_token"]}]
    campaign = await published(client, attribution={"order": order})
    code, ip = await code_of_a_new_player(client, campaign), an_address()
    token = await followed(client, code, ip=ip, **BROWSER)
    assert await resolved(client, clipboard_token=token) == NOTHING
    assert await resolved(client, **PHONE, ip=ip) == NOTHING


async def test_an_app_that_found_nothing_is_told_nothing(client: AsyncClient) -> None:
    organic = {"install_referrer": "utm_source=google-play&utm_medium=organic"}
    for body in (
        {},
        organic,
        {"clipboard_token": "a shopping list"},
        {**PHONE, "ip": an_address()},
    ):
        assert await resolved(client, **body) == NOTHING


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "platform"),
        ({"platform": "web"}, "platform"),
        (
            {"platform": "ios", "install_begin_timestamp_seconds": -1},
            "install_begin_timestamp_seconds",
        ),
        (
            {"platform": "ios", "install_begin_timestamp_seconds": 1_772_443_812_000},
            "install_begin_timestamp_seconds",
        ),
        (
            {"platform": "ios", "install_begin_timestamp_seconds": "1"},
            "install_begin_timestamp_seconds",
        ),
        ({"platform": "ios", "clipboard_token": "x" * 4097}, "clipboard_token"),
        ({"platform": "ios", "universal_link": "https://a\0"}, "universal_link"),
        ({"platform": "ios", "gaid": "1"}, "gaid"),
    ],
)
async def test_a_body_that_cannot_be_is_refused_by_field(
    client: AsyncClient, body: dict[str, object], field: str
) -> None:
    assert_problem(
        await client.post("/v1/attributions/resolve", json=body), 422, "validation_failed", field
    )


async def refused(client: AsyncClient, reason: str) -> float:
    """How many claims of installs were refused for a reason."""
    lines = (await client.get("/metrics")).text.splitlines()
    name = f'install_claims_refused_total{{method="install_referrer",reason="{reason}"}} '
    return next((float(line[len(name) :]) for line in lines if line.startswith(name)), 0.0)
