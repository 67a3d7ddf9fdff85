"""The player's own page: who may open it, what it says, and what it never says."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.embed.pages import player_page
from api.embed.tokens import EmbedTokens, TokenState
from api.link.languages import negotiate_language
from api.v1.schemas.players import PlayerFacingReason
from db.engine import Database, Session
from db.tables import Reward
from domain.campaigns.limits.periods import CALENDAR_YEAR
from domain.campaigns.rules import RewardType
from domain.money import LARGEST_MINOR, RewardKind
from domain.rewards.reward import RewardStatus
from referrals.access.audit import Actor
from referrals.localisation.formats import Sum
from referrals.reporting.player_pages import load_page
from runtime.settings import Settings
from tests import ROOT, builders
from tests.api.bodies import publish_campaign, terms
from tests.builders import a_player_id, unique
from tests.fixtures.api_client import browser, caller
from tests.fixtures.keys import create_key

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with browser(app) as visitor:
        yield visitor


async def embed_url(client: AsyncClient, player_id: str) -> str:
    answer = await client.post(f"/v1/players/{player_id}/embed-token")
    assert answer.status_code == 201
    body = answer.json()
    assert body["url"].endswith(f"/embed/{player_id}?token={body['token']}")
    assert datetime.fromisoformat(body["expires_at"]) > datetime.now(UTC)
    return f"/embed/{player_id}?token={body['token']}"


async def test_a_players_page_shows_the_code_and_ways_to_share_it(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    player = a_player_id()
    answer = await client.post("/v1/codes", json={"player_id": player})
    code = answer.json()["code"]

    page = await anonymous.get(await embed_url(client, player))

    assert page.status_code == 200
    assert code in page.text
    assert "Invite your friends" in page.text
    assert "$10 for you when your friend deposits $10 or more" in page.text
    assert "https://wa.me/?text=" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_a_page_says_what_the_limits_of_the_campaign_leave_the_player(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    limits = [
        {"of": "referrer", "per": "month", "rewards": 7},
        {"of": "referrer", "per": "campaign", "amount": {"minor": 12_000, "currency": "USD"}},
        {"of": "campaign", "per": "day", "rewards": 971},
    ]
    slug = await publish_campaign(client, terms=terms(limits=limits))
    player = a_player_id()
    await client.post("/v1/codes", json={"player_id": player, "campaign": slug})

    page = (await anonymous.get(await embed_url(client, player))).text

    shown = re.findall(r"<dt>(\w+ left)</dt><dd>([^<]+)</dd>(<dd class=.until.>until)?", page)
    assert shown == [
        ("Rewards left", "7", '<dd class="until">until'),
        ("Amount left", "$120", ""),
    ]
    assert "971" not in re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL)


async def test_a_page_is_in_the_players_language(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    player = a_player_id()
    await client.put(f"/v1/players/{player}/preferences", json={"locale": "de-AT"})
    url = await embed_url(client, player)

    page = await anonymous.get(url, headers={"Accept-Language": "fr"})
    assert (page.headers["content-language"], "Lade deine Freunde ein" in page.text) == ("de", True)
    page = await anonymous.get(f"{url}&lang=es")
    assert page.headers["content-language"] == "es"


async def test_friends_are_shown_by_their_neutral_stage_alone(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    player, friend = a_player_id(), a_player_id()
    code = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]
    click = {"code": code, "visitor_id": friend, "platform": "web"}
    assert (await client.post("/v1/clicks", json=click)).status_code == 201

    page = await anonymous.get(await embed_url(client, player))

    assert "waiting for signup" in page.text
    assert friend not in page.text


async def test_nothing_is_advertised_to_a_player_who_excluded_themselves(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    player = a_player_id()
    code = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]
    excluded = {
        "event_id": unique("excluded"),
        "occurred_at": datetime.now(UTC).isoformat(),
        "player_id": player,
        "status": "self_excluded",
    }
    assert (await client.post("/v1/events/players", json=excluded)).status_code == 202

    page = await anonymous.get(await embed_url(client, player))

    assert "There is nothing to show for your account." in page.text
    assert code not in page.text


@pytest.fixture
async def unsaved(database: Database) -> AsyncIterator[Session]:
    async with Session(database.engine) as session:
        yield session
        await session.rollback()


async def test_sums_what_stands_of_rewards_however_much_that_is(
    unsaved: Session, settings: Settings
) -> None:
    player = a_player_id()
    for status, kind, minor, due in (
        (RewardStatus.DEFERRED, None, LARGEST_MINOR, None),
        (RewardStatus.DEFERRED, None, LARGEST_MINOR, None),
        (RewardStatus.HELD, RewardKind.BONUS_BET, 70, None),
        (RewardStatus.ISSUED, None, 1000, 400),
        (RewardStatus.ISSUED, None, 1000, None),
        (RewardStatus.ISSUED, RewardKind.BONUS_BET, 500, None),
    ):
        referral = await builders.a_bound_referral(unsaved, referrer_id=player)
        values = {
            "referral_id": referral.id,
            "reward_type": RewardType.REFERRER,
            "kind": kind,
            "player_id": player,
            "currency": "USD",
            "deposit_event_id": unique("deposit"),
            "campaign_version_id": referral.campaign_version_id,
            "created_at": NOW,
            "changed_at": NOW,
        }
        unsaved.add(Reward(id=uuid4(), status=status, amount_minor=minor, due_minor=due, **values))
    await unsaved.flush()

    page = await load_page(unsaved, player, at=NOW, tax_year_start=CALENDAR_YEAR)

    assert page.expected == (Sum(2 * LARGEST_MINOR, "USD"),)
    assert page.earned == (Sum(1400, "USD"),)
    assert page.earned_bonus == (Sum(500, "USD"),)
    assert page.expected_bonus == (Sum(70, "USD"),)
    shown = player_page(page, negotiate_language("", preferred="de"), settings)
    text = bytes(shown.body).decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "14 $ + 5 $ in Gratiswetten" in text


def test_the_page_has_words_for_every_reason_that_a_referrer_may_read() -> None:
    page = (ROOT / "api/embed/templates/embed.html").read_text()
    worded = set(re.findall(r'^  "(\w+)": _\(', page, re.MULTILINE))
    assert worded == {reason.value for reason in PlayerFacingReason}


async def test_another_players_token_is_refused(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    url = await embed_url(client, a_player_id())
    other = a_player_id()

    refused = await anonymous.get(f"/embed/{other}?{url.partition('?')[2]}")

    assert refused.status_code == 403
    assert "This page cannot be shown" in refused.text


@pytest.mark.parametrize("token", ["", "x", "a~1~b", "%00", "é"])
async def test_a_forged_token_is_refused(anonymous: AsyncClient, token: str) -> None:
    assert (await anonymous.get(f"/embed/{a_player_id()}?token={token}")).status_code == 401


async def test_a_player_nobody_has_heard_of_has_an_empty_page(
    client: AsyncClient, anonymous: AsyncClient
) -> None:
    page = await anonymous.get(await embed_url(client, a_player_id()))

    assert page.status_code == 200
    assert "Nobody has followed your link yet." in page.text


async def test_a_token_asks_for_the_scope_of_a_players_page(
    app: FastAPI, database: Database
) -> None:
    async with database.transaction() as session:
        actor = Actor(name="tests", request_id=None, reason="a test")
        key = await create_key(session, owner="codes", scopes=["codes:write"], actor=actor)

    async with caller(app, key) as client:
        refused = await client.post(f"/v1/players/{a_player_id()}/embed-token")

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


def test_a_token_opens_one_players_page_for_its_time() -> None:
    tokens = EmbedTokens("secret")
    token = tokens.issue("player-1", expires_at=NOW)

    assert tokens.read(token, "player-1", at=NOW - timedelta(seconds=1)) is TokenState.VALID
    assert tokens.read(token, "player-1", at=NOW) is TokenState.EXPIRED
    assert tokens.read(token, "player-2", at=NOW) is TokenState.FOREIGN
    assert EmbedTokens("other").read(token, "player-1", at=NOW) is TokenState.FORGED
    rotated = EmbedTokens("other", "secret")
    assert rotated.read(token, "player-1", at=NOW - timedelta(seconds=1)) is TokenState.VALID
    assert rotated.issue("player-1", expires_at=NOW) != token
