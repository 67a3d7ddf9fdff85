"""Steps of people who sign in to the console at an identity provider."""

from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient, Response
from pydantic import SecretStr

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import unique
from tests.api.console.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.api.console.signed_in import BASE_URL

CALLBACK = f"{BASE_URL}/console/sign-in/callback"


def deployment(
    provider: Provider, settings: Settings, database: Database, **changes: object
) -> FastAPI:
    chosen = {
        "public_url": BASE_URL,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        **changes,
    }
    return build_app(settings.model_copy(update=chosen), database)


def person(**claims: object) -> dict[str, Any]:
    return {"sub": unique("sub"), "email": f"{unique('rita')}@book.example", **claims} | (
        {} if "roles" in claims else {"roles": ["reviewer", "offline_access"]}
    )


async def at_provider(begun: Response) -> str:
    """Sign in at the provider, and return where it sends the browser back to."""
    async with AsyncClient(trust_env=False) as elsewhere:
        answer = await elsewhere.get(begun.headers["location"])
    assert answer.status_code == 302, answer.text
    back: str = answer.headers["location"]
    assert back.startswith(CALLBACK)
    return back


async def signs_in(browser: AsyncClient, to: str = "") -> Response:
    begun = await browser.get("/console/sign-in/oidc", params={"to": to})
    assert begun.status_code == 303, begun.text
    return await browser.get(await at_provider(begun))
