"""Requests and records that have one text in every field, header and parameter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from httpx import AsyncClient, Response
from pydantic import BaseModel

from api.v1.schemas.codes import ClickIn
from api.v1.schemas.first_open import ResolveIn
from referrals.intake.events import DepositIn, SignupIn, WithdrawalIn
from sandbox.sportsbook.requests import Event, deposit, signup, unique_id, usd
from tests.user_agents import LINUX

SHAPES: Final = frozenset({"pattern", "format", "enum"})
"""Keys of schemas that take no free text."""
HEADERS: Final = (
    "X-Request-Id",
    "User-Agent",
    "Referer",
    "X-Forwarded-For",
    "Forwarded",
    "Accept-Language",
    "Idempotency-Key",
    "Sec-Purpose",
    "traceparent",
)
READS: Final = (
    "/v1/referrals?player_id={0}&cursor={0}&campaign={0}",
    "/v1/rewards?player_id={0}&status={0}",
    "/v1/attributions?player_id=nobody&outcome={0}",
    "/v1/cases?player_id={0}&cursor={0}",
    "/v1/players/{0}/balance",
    "/v1/codes/{0}",
    "/v1/reports/funnel?campaign={0}&by={0}",
    "/console/search?q={0}",
    "/embed/{0}?token={0}",
    "/r/{0}?email={0}&utm_source={0}",
    "/{0}?{0}={0}",
)


def texts_of(model: type[BaseModel], *but: str) -> list[str]:
    """Return the fields of a body that take any text, but some."""
    found = []
    for name, schema in model.model_json_schema()["properties"].items():
        kinds = schema.get("anyOf", [schema])
        is_any = any(k.get("type") == "string" and not SHAPES & k.keys() for k in kinds)
        found += [name] if is_any and name not in but else []
    return found


@dataclass(frozen=True, slots=True)
class SeededPerson:
    """One text about a person, and the invited player whose requests have it everywhere."""

    text: str
    player_id: str
    referral_token: str
    code: str

    def events(self) -> tuple[Event, ...]:
        """Return an invited player's events, and the signup of a player whom nobody invited."""
        everywhere: dict[str, Any] = dict.fromkeys(texts_of(SignupIn), self.text)
        paid: dict[str, Any] = dict.fromkeys(texts_of(DepositIn), self.text)
        paid_out: dict[str, Any] = dict.fromkeys(texts_of(WithdrawalIn), self.text)
        stranger = unique_id("stranger")
        return (
            signup(self.player_id, **{**everywhere, "referral_token": self.referral_token}),
            deposit(self.player_id, **paid),
            signup(stranger, **everywhere),
            Event(
                "withdrawals",
                {
                    **{k: deposit(stranger).body[k] for k in ("event_id", "occurred_at")},
                    "player_id": stranger,
                    "withdrawal_id": unique_id("w"),
                    "amount": usd(500),
                    **paid_out,
                },
            ),
        )

    def bodies(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Return what is posted beside events; of another spelling, so that no hash is shared."""
        text, player = f"{self.text} x", self.player_id
        traits = dict.fromkeys(texts_of(ClickIn, "code", "visitor_id"), text)
        resolved = dict.fromkeys(texts_of(ResolveIn), text)
        return (
            ("/v1/clicks", {"code": text, "visitor_id": text, "platform": "web"}),
            ("/v1/clicks", {"code": self.text, "visitor_id": text, "platform": "web"}),
            (
                "/v1/clicks",
                {"code": self.code, "visitor_id": text, "platform": "ios", **traits},
            ),
            ("/v1/shares", {"code": self.code, "channel": self.text}),
            (
                "/v1/attributions/resolve",
                {
                    **resolved,
                    "install_referrer": f"utm_source={text}&email={text}&referral_token={text}",
                    "universal_link": f"https://refer.example/r/{text}?email={text}",
                },
            ),
            ("/v1/attributions/confirm", {"referral_token": text}),
            ("/v1/attributions/claim", {"player_id": player, "code": self.text}),
            ("/v1/events/deposits", {self.text: self.text, "event_id": self.text}),
        )

    async def knock(self, client: AsyncClient) -> AsyncIterator[Response]:
        """Make every request of a caller with a key, and of a browser."""
        for path, body in self.bodies():
            yield await client.post(path, json=body)
        yield await client.post("/v1/events/signups", content=f'{{"code": "{self.text}"')
        seeded = dict.fromkeys(HEADERS, self.text)
        for path in (*READS, f"/r/{self.code}?email={{0}}"):
            yield await client.get(path.format(self.text))
        for agent in (f"{self.text} x", f"{LINUX} {self.text}"):
            headers = seeded | {"User-Agent": agent, "Cookie": f"referral_token={self.text}"}
            yield await client.get(f"/r/{self.code}?utm_source={self.text}", headers=headers)
        stranger = {"Authorization": f"Bearer {self.text}"}
        yield await client.get("/v1/referrals", headers=stranger)
