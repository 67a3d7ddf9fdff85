"""First opens that attribute nothing: refusals, which all look alike to the caller."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from httpx import AsyncClient

from db.engine import Database
from db.tables import ReferralRow
from runtime.settings import Settings
from tests.api.attribution_steps import sign_up
from tests.api.bodies import assert_problem, create_code, publish_campaign, terms, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    NO_MATCH_ANSWER,
    PHONE_TRAITS,
    follow_link,
    logged_outcomes,
    play_install,
    resolve,
    tampered_with,
    tokens_of,
    touches_of,
    unique_ip,
)


def _injected(token: str) -> dict[str, object]:
    return play_install(token, clicked_s=10, began_s=5)


async def test_a_click_after_the_install_began_is_refused_and_counted(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    before = await refused_installs(client, "click_injection")
    token = await follow_link(client, await create_code(client))
    device = unique("device")
    assert await resolve(client, **_injected(token), device_id=device) == NO_MATCH_ANSWER
    (touch,) = await touches_of(database, settings, device)
    assert (touch.refusal, touch.evidence["rule"]) == (
        "click_injection",
        "click_after_install_began",
    )
    assert await logged_outcomes(database, [touch]) == ["click_injection"]
    assert await refused_installs(client, "click_injection") == before + 1


@pytest.mark.parametrize(
    ("clicked_s", "began_s"),
    [(3600, 3601), (1, 3600), (-3600, -3000), (-3600, 1), (-100 * 86_400, -100 * 86_400)],
    ids=["both ahead", "begun ahead", "before the invitation", "clicked before it", "very old"],
)
async def test_impossible_times_are_refused(
    client: AsyncClient, clicked_s: int, began_s: int
) -> None:
    token = await follow_link(client, await create_code(client))
    body = play_install(token, clicked_s=clicked_s, began_s=began_s)
    assert await resolve(client, **body) == NO_MATCH_ANSWER


@pytest.mark.parametrize("spoil", ["injected", "forged"])
async def test_a_tampered_first_open_gets_no_probabilistic_match(
    client: AsyncClient, spoil: str
) -> None:
    code, ip = await create_code(client), unique_ip()
    token = await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    assert (await resolve(client, **PHONE_TRAITS, ip=ip))["code"] == code
    spoilt = _injected(token) if spoil == "injected" else {"cookie_token": tampered_with(token)}
    assert (
        await resolve(client, **{**PHONE_TRAITS, **spoilt, "platform": "ios"}, ip=ip)
        == NO_MATCH_ANSWER
    )


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
async def test_an_invalid_claim_is_answered_with_no_match_and_logged(
    client: AsyncClient,
    database: Database,
    settings: Settings,
    body: dict[str, str],
    refusal: str,
) -> None:
    code, tokens = await create_code(client), tokens_of(settings)
    token, now = await follow_link(client, code), datetime.now(UTC)
    reading = tokens.read(token, at=now)
    assert reading.subject is not None
    texts = {
        "code": code,
        "token": token,
        "cut": tampered_with(token),
        "expired": tokens.issue(reading.subject, expires_at=now - timedelta(seconds=2)),
        "elsewhere": tokens.issue(uuid4(), expires_at=now + timedelta(days=1)),
    }
    filled = {name: text.format(**texts) for name, text in body.items()}
    device = unique("device")
    for _ in range(2):
        assert await resolve(client, **filled, device_id=device) == NO_MATCH_ANSWER
    (touch,) = await touches_of(database, settings, device)
    assert touch.refusal == refusal
    assert await logged_outcomes(database, [touch]) == [refusal]


@pytest.mark.parametrize(
    ("step", "refusal"), [("pause", "campaign_paused"), ("end", "campaign_ended")]
)
async def test_a_link_of_a_closed_offer_looks_like_an_unknown_one(
    client: AsyncClient, database: Database, settings: Settings, step: str, refusal: str
) -> None:
    campaign = await publish_campaign(client)
    code = await create_code(client, campaign)
    assert (await client.post(f"/v1/campaigns/{campaign}/{step}")).status_code == 200
    device = unique("device")
    link = f"https://refer.example/r/{code}"
    assert await resolve(client, universal_link=link, device_id=device) == NO_MATCH_ANSWER
    (touch,) = await touches_of(database, settings, device)
    assert touch.refusal == refusal


async def test_an_invitation_after_its_window_refers_nobody(
    client: AsyncClient, owner_database: Database, settings: Settings
) -> None:
    campaign = await publish_campaign(client, terms=terms(signup_window="P1D"))
    token = await follow_link(client, await create_code(client, campaign))
    reading = tokens_of(settings).read(token, at=datetime.now(UTC))
    async with owner_database.transaction() as session:
        row = await session.get_one(ReferralRow, reading.subject)
        row.invited_at -= timedelta(days=2)
    assert await resolve(client, clipboard_token=token) == NO_MATCH_ANSWER


async def test_a_device_of_an_existing_player_matches_nothing(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    device, ip = unique("device"), unique_ip()
    player = await sign_up(client, database, device_id=device)
    code = await create_code(client)
    token = await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    for body in (
        {"clipboard_token": token},
        {"universal_link": f"https://refer.example/r/{code}"},
        {},
    ):
        assert (
            await resolve(client, **PHONE_TRAITS, **body, ip=ip, device_id=device)
            == NO_MATCH_ANSWER
        )
    touches = await touches_of(database, settings, device)
    assert {touch.refusal for touch in touches} == {"existing_player"}
    assert {touch.player_id for touch in touches} == {player}
    assert await logged_outcomes(database, touches) == ["existing_player"] * 3


async def test_a_method_that_the_campaign_does_not_accept_is_not_answered(
    client: AsyncClient,
) -> None:
    order = [{"methods": ["typed_code"]}, {"methods": ["referral_token"]}]
    campaign = await publish_campaign(client, attribution={"order": order})
    code, ip = await create_code(client, campaign), unique_ip()
    token = await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    assert await resolve(client, clipboard_token=token) == NO_MATCH_ANSWER
    assert await resolve(client, **PHONE_TRAITS, ip=ip) == NO_MATCH_ANSWER


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"os": "x" * 65}, "os"),
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


async def refused_installs(client: AsyncClient, reason: str) -> float:
    """Return how many install referrers were refused for a reason."""
    lines = (await client.get("/metrics")).text.splitlines()
    name = f'first_open_methods_refused_total{{method="install_referrer",reason="{reason}"}} '
    return next((float(line[len(name) :]) for line in lines if line.startswith(name)), 0.0)


async def test_a_refused_install_is_explained_by_the_log_of_its_referral(
    client: AsyncClient, settings: Settings
) -> None:
    token = await follow_link(client, await create_code(client))
    reading = tokens_of(settings).read(token, at=datetime.now(UTC))
    assert await resolve(client, **_injected(token)) == NO_MATCH_ANSWER
    query = {"referral_id": str(reading.subject), "outcome": "click_injection"}
    (attempt,) = (await client.get("/v1/attributions", params=query)).json()["items"]
    shown = await client.get(f"/v1/attributions/{attempt['attempt_id']}")
    assert shown.status_code == 200, shown.text
    assert shown.json()["attempt"] == "resolve"
    (candidate,) = shown.json()["candidates"]
    assert (candidate["method"], candidate["outcome"]) == ("install_referrer", "click_injection")
