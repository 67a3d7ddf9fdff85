"""Steps of tests of an app's first open."""

import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import AttemptRow, TouchRow
from domain.privacy import Hasher
from referrals.attribution.tokens import Tokens
from runtime.settings import Settings
from tests.api.bodies import create_code, unique

NO_MATCH_ANSWER: Final = {
    "referral_token": None,
    "code": None,
    "method": None,
    "confidence": 0.0,
    "guaranteed": False,
    "ask": None,
}
PHONE_TRAITS: Final = {
    "platform": "ios",
    "device_model": "iPhone15,3",
    "os_version": "18.5.1",
    "locale": "en_US",
    "time_zone": "America/New_York",
    "screen": "390x844",
}
BROWSER_TRAITS: Final = {
    "os": "iOS",
    "os_version": "18.5",
    "device_model": "iPhone",
    "locale": "en-US",
}
"""The traits that the browser of the same phone shows when it follows a link."""


def unique_ip() -> str:
    """Return an address of 2001:db8::/32, the block for examples, that no other test uses."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::{digits[8:12]}"


async def follow_link(client: AsyncClient, code: str, **changes: object) -> str:
    """Follow a link and return its token."""
    body = {"code": code, "visitor_id": unique("visitor"), "platform": "web", **changes}
    answer = await client.post("/v1/clicks", json=body)
    assert answer.status_code in {200, 201}, answer.text
    token: str = answer.json()["referral_token"]
    return token


async def resolve(client: AsyncClient, **body: object) -> dict[str, Any]:
    """Send a first open and return the answer."""
    answer = await client.post("/v1/attributions/resolve", json={"platform": "ios", **body})
    assert answer.status_code == 200, answer.text
    answered: dict[str, Any] = answer.json()
    return answered


async def a_match(client: AsyncClient, campaign: str = "default") -> tuple[str, str]:
    """Return a code and the token of a phone that probably followed it."""
    code, ip = await create_code(client, campaign), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    answered = await resolve(client, **PHONE_TRAITS, ip=ip, device_id=unique("device"))
    assert answered["code"] == code
    return code, answered["referral_token"]


async def confirm(client: AsyncClient, token: str, *, confirmed: bool = True) -> dict[str, Any]:
    body = {"referral_token": token, "confirmed": confirmed}
    answer = await client.post("/v1/attributions/confirm", json=body)
    assert answer.status_code == 200, answer.text
    answered: dict[str, Any] = answer.json()
    return answered


def play_install(token: str, *, clicked_s: int = 1, began_s: int = 2) -> dict[str, Any]:
    """Return the install referrer that Google Play reports; times are in seconds from now."""
    now_s = int(time.time())
    times = {"referrer_click": now_s + clicked_s, "install_begin": now_s + began_s}
    return {
        "platform": "android",
        "install_referrer": urlencode({"referral_token": token}),
        **{f"{name}_timestamp_seconds": at for name, at in times.items()},
        **{f"{name}_timestamp_server_seconds": at for name, at in times.items()},
        "install_version": "4.2.0",
    }


async def touches_of(database: Database, settings: Settings, device_id: str) -> Sequence[TouchRow]:
    """Return the touches of a device, the earliest first."""
    hashed = Hasher(settings.hash_key.get_secret_value(), public_url=settings.public_url).hash(
        "device_id", device_id
    )
    async with database.reading() as session:
        query = select(TouchRow).where(TouchRow.device_id == hashed).order_by(TouchRow.at)
        return (await session.scalars(query)).all()


async def logged_outcomes(database: Database, touches: Sequence[TouchRow]) -> list[str]:
    """Return the logged outcomes of the attempts behind some touches."""
    ids = [f"resolve:{touch.id}" for touch in touches]
    async with database.reading() as session:
        query = select(AttemptRow.outcome).where(AttemptRow.attempt_id.in_(ids))
        return sorted(await session.scalars(query))


def tokens_of(settings: Settings) -> Tokens:
    return Tokens(settings.token_key.get_secret_value())


def tampered_with(token: str) -> str:
    """Return the token with its last three letters changed."""
    return token[:-3] + ("AAA" if not token.endswith("AAA") else "BBB")
