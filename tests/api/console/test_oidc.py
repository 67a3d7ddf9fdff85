"""Tests of signing in with an identity provider, which is real and on a loopback address."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from sqlalchemy import select
from structlog.testing import capture_logs

from api.app import build_app
from api.http.dependencies import current_time
from db.engine import Database
from db.tables import AuditRow
from integrations.identity_provider import OpenIdProvider
from referrals.access.console.roles import Role
from runtime.settings import Settings
from runtime.sign_in_settings import is_safe
from tests.api.console.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    Behaviour,
    Provider,
    provider_on_loopback,
)
from tests.api.console.oidc_steps import CALLBACK, at_provider, deployment, person, signs_in
from tests.api.console.signed_in import browser_of

ANOTHER_KEY = RSAKey.generate_key(2048, {"kid": "second"}, auto_kid=False)


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[Provider]:
    async with provider_on_loopback(CALLBACK) as provider:
        yield provider


@pytest.fixture
def provider(served: Provider) -> Provider:
    """Return the provider, where someone has an account for the review queue."""
    served.behaviour = Behaviour(user=person())
    return served


@pytest.fixture
def app(provider: Provider, settings: Settings, database: Database) -> FastAPI:
    return deployment(provider, settings, database)


async def test_signs_a_person_in_with_the_role_that_the_provider_gives(
    app: FastAPI, provider: Provider, database: Database
) -> None:
    async with browser_of(app) as browser:
        door = await browser.get("/console/cases")
        assert (door.status_code, "/console/sign-in/oidc?to=/console/cases" in door.text) == (
            401,
            True,
        )
        answer = await signs_in(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/cases")
        assert (await browser.get("/console/cases")).status_code == 200
        assert (await browser.get("/console/operations")).status_code == 403
    assert provider.behaviour.user is not None
    name = provider.behaviour.user["email"]
    async with database.reading() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.actor == name))).all()
    assert [(row.action, row.details, row.reason) for row in rows] == [
        ("console.sign_in", {"role": "reviewer"}, "signed in by OIDC")
    ]


async def test_asks_the_provider_with_a_state_a_nonce_and_a_proof_key(app: FastAPI) -> None:
    async with browser_of(app) as browser:
        first = await browser.get("/console/sign-in/oidc")
        second = await browser.get("/console/sign-in/oidc")
    asked, other = (parse_qs(urlsplit(one.headers["location"]).query) for one in (first, second))
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email profile"]
    for secret in ("state", "nonce", "code_challenge"):
        assert asked[secret] != other[secret]
        assert len(asked[secret][0]) >= 43
    cookie = first.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "secure", "path=/console/sign-in"):
        assert part in cookie
    assert asked["nonce"][0] not in cookie


@pytest.mark.parametrize(
    ("to", "led_to"),
    [
        ("/console/referrals?stage=HELD", "/console/referrals?stage=HELD"),
        ("https://elsewhere.example/console", "/console/cases"),
        ("//elsewhere.example", "/console/cases"),
        ("////elsewhere.example/console", "/console/cases"),
        ("/\t/elsewhere.example", "/console/cases"),
        ("/console\\@elsewhere.example", "/console/cases"),
    ],
)
async def test_leads_to_the_page_that_was_asked_for_and_never_elsewhere(
    app: FastAPI, to: str, led_to: str
) -> None:
    async with browser_of(app) as browser:
        answer = await signs_in(browser, to)
    assert answer.headers["location"] == led_to


async def test_another_browser_cannot_finish_a_sign_in(app: FastAPI) -> None:
    async with browser_of(app) as browser, browser_of(app) as victim:
        begun = await browser.get("/console/sign-in/oidc")
        back = await at_provider(begun)
        await victim.get("/console/sign-in/oidc")
        answer = await victim.get(back)
        assert (answer.status_code, "too old" in answer.text) == (400, True)
        assert "referrals_console=" not in answer.headers.get("set-cookie", "")
        assert (await browser.get(back)).status_code == 303


async def test_a_code_signs_in_once(app: FastAPI) -> None:
    async with browser_of(app) as browser:
        begun = await browser.get("/console/sign-in/oidc")
        kept = browser.cookies["referrals_console_sign_in"]
        back = await at_provider(begun)
        assert (await browser.get(back)).status_code == 303
        assert (await browser.get(back)).status_code == 400
        browser.cookies.set("referrals_console_sign_in", kept)
        assert (await browser.get(back)).status_code == 403


async def test_a_sign_in_is_finished_in_a_quarter_of_an_hour(app: FastAPI) -> None:
    async with browser_of(app) as browser:
        begun = await browser.get("/console/sign-in/oidc")
        back = await at_provider(begun)
        late = datetime.now(UTC) + timedelta(minutes=16)
        app.dependency_overrides[current_time] = lambda: late
        answer = await browser.get(back)
    assert (answer.status_code, "Try again" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("user", "says"),
    [
        (person(roles=[]), "no role at the console"),
        (person(roles="cashier"), "claim `roles`: reviewer, marketer, support, auditor, admin"),
        (person(roles=["reviewer", "marketer"]), "several roles: marketer, reviewer"),
        (person(email=None), "the claim `email` is missing"),
        (person(email="x" * 201), "the claim `email` is missing"),
        (person(email_verified=False), "not verified"),
    ],
    ids=["no role", "another word", "two roles", "no name", "long name", "unverified"],
)
async def test_says_why_an_account_is_not_admitted(
    app: FastAPI, provider: Provider, user: dict[str, Any], says: str
) -> None:
    provider.behaviour.user = user
    async with browser_of(app) as browser:
        answer = await signs_in(browser)
        assert answer.status_code == 403
        assert says in answer.text
        assert (await browser.get("/console/cases")).status_code == 401


async def test_an_admin_may_have_other_roles_beside_it(app: FastAPI, provider: Provider) -> None:
    provider.behaviour.user = person(roles=["support", "admin"])
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).status_code == 303
        assert (await browser.get("/console/operations")).status_code == 200


async def test_reads_roles_in_the_words_of_the_provider(
    provider: Provider, settings: Settings, database: Database
) -> None:
    claims = {"oidc_role_claim": "realm_access.roles", "oidc_roles": {"BOOK-FRAUD": Role.AUDITOR}}
    app = deployment(provider, settings, database, **claims)
    provider.behaviour.user = person(roles=["admin"], realm_access={"roles": ["BOOK-FRAUD"]})
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).headers["location"] == "/console/ledger"


async def test_reads_claims_that_only_the_userinfo_has(app: FastAPI, provider: Provider) -> None:
    provider.behaviour.only_in_userinfo = frozenset({"roles", "email"})
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"nonce": "of another sign-in"},
        {"exp": 1_700_000_000},
        {"at_hash": "of-another-token"},
    ],
    ids=lambda claims: next(reversed(claims)),
)
async def test_believes_no_token_that_is_not_for_this_sign_in(
    app: FastAPI, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.behaviour.claims = claims
    async with browser_of(app) as browser:
        answer = await signs_in(browser)
        assert (answer.status_code, "not valid" in answer.text) == (403, True)
        assert (await browser.get("/console/cases")).status_code == 401


async def test_believes_no_token_of_a_key_that_is_not_published(
    app: FastAPI, provider: Provider
) -> None:
    provider.behaviour.key = ANOTHER_KEY
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).status_code == 403


async def test_reads_the_keys_again_once_the_provider_has_new_ones(
    app: FastAPI, provider: Provider
) -> None:
    app.state.identity_provider = OpenIdProvider(
        provider.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        scopes="openid",
        is_safe=is_safe,
        reread_after_s=0,
    )
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).status_code == 303
        provider.behaviour.key = provider.behaviour.published = ANOTHER_KEY
        assert (await signs_in(browser)).status_code == 303


async def test_says_that_the_person_refused_at_the_provider(
    app: FastAPI, provider: Provider
) -> None:
    provider.behaviour.user = None
    async with browser_of(app) as browser:
        answer = await signs_in(browser)
    assert (answer.status_code, "did not let you in" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("sent", "logged"), [("access_denied", "access_denied"), ("rita%40book.example", "other")]
)
async def test_logs_a_refusal_by_its_code_and_no_other_text(
    app: FastAPI, provider: Provider, sent: str, logged: str
) -> None:
    provider.behaviour.user = None
    async with browser_of(app) as browser:
        back = await at_provider(await browser.get("/console/sign-in/oidc"))
        assert "error=access_denied" in back
        with capture_logs() as logs:
            await browser.get(back.replace("error=access_denied", f"error={sent}"))
    refusals = [line for line in logs if line["event"] == "console_sign_in_refused"]
    assert [line["error"] for line in refusals] == [logged]


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": None},
    ],
    ids=["another issuer", "no TLS", "no keys"],
)
async def test_uses_no_metadata_that_cannot_be_trusted(
    app: FastAPI, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.behaviour.metadata = metadata
    async with browser_of(app) as browser:
        answer = await browser.get("/console/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert answer.headers["retry-after"] == "5"


async def test_says_that_the_provider_is_away_and_signs_in_once_it_is_back(
    app: FastAPI, provider: Provider
) -> None:
    provider.behaviour.token_status = 502
    async with browser_of(app) as browser:
        assert (await signs_in(browser)).status_code == 503
        provider.behaviour.token_status = None
        assert (await signs_in(browser)).status_code == 303


async def test_links_go_on_working_in_a_deployment_without_a_provider(
    settings: Settings, database: Database
) -> None:
    async with browser_of(build_app(settings, database)) as browser:
        assert (await browser.get("/console/sign-in/oidc")).status_code == 404
        assert "console-link" in (await browser.get("/console")).text
