"""A sportsbook that calls the service over HTTP, and repeats a call as its outbox would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from sandbox.sportsbook.answers import (
    Balance,
    Decision,
    Invitation,
    Referral,
    Resolution,
    Review,
    Reward,
    Verification,
)
from sandbox.sportsbook.events import Event, unique, usd
from sandbox.sportsbook.patience import PATIENCE_S, until

RETRY_AFTER_S: Final = 0.2
ATTEMPTS: Final = 300
CALL_S: Final = 10.0
CONNECTIONS: Final = 16


class Book:
    """Raises httpx.HTTPStatusError for an answer that is refused, unless it says otherwise."""

    def __init__(self, client: httpx.AsyncClient, *, approver_key: str) -> None:
        self.client = client
        self._approver = {"Authorization": f"Bearer {approver_key}"}

    async def send(self, event: Event) -> str:
        """Tell an event until it is taken; answers `accepted` or `duplicate`."""
        answer = await self.call("POST", f"/v1/events/{event.door}", event.body)
        return str(answer.raise_for_status().json()["status"])

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 - as httpx takes them
    ) -> httpx.Response:
        """Any call, repeated while the service is away; the answer may be a refusal."""
        for _ in range(ATTEMPTS):
            try:
                answer = await self.client.request(method, path, json=body, **more)
            except httpx.TransportError:
                answer = None
            if answer is not None and not answer.is_server_error:
                return answer
            await asyncio.sleep(RETRY_AFTER_S)
        raise httpx.ConnectError(f"{method} {path} was not answered in {ATTEMPTS} attempts")

    async def code(self, player_id: str, campaign: str = "default") -> str:
        body = {"player_id": player_id, "campaign": campaign}
        answer = await self.call("POST", "/v1/codes", body)
        return str(answer.raise_for_status().json()["code"])

    async def click(
        self, code: str, visitor_id: str | None = None, *, platform: str = "ios", **seen: str
    ) -> Invitation:
        """`seen` is what the link's page can tell of the device and its network."""
        visitor_id = visitor_id or unique("visitor")
        body = {"code": code, "visitor_id": visitor_id, "platform": platform, **seen}
        answer = await self.call("POST", "/v1/clicks", body)
        return Invitation.model_validate_json(answer.raise_for_status().content)

    async def follow(self, code: str, *, agent: str, language: str) -> httpx.Response:
        """A browser's, or a program's, visit to the link."""
        headers = {"User-Agent": agent, "Accept-Language": language}
        return await self.call("GET", f"/r/{code}", headers=headers)

    async def resolve(self, **opened: str) -> Resolution:
        """An app's first open: who brought its person."""
        answer = await self.call("POST", "/v1/attributions/resolve", opened)
        return Resolution.model_validate_json(answer.raise_for_status().content)

    async def confirm(self, token: str, *, confirmed: bool = True) -> str:
        """What the person says to the question; answers what came of it."""
        body = {"referral_token": token, "confirmed": confirmed}
        answer = await self.call("POST", "/v1/attributions/confirm", body)
        return str(answer.raise_for_status().json()["outcome"])

    async def claim(self, player_id: str, code: str) -> str:
        """A code typed after the signup; answers what came of it."""
        body = {"player_id": player_id, "code": code}
        answer = await self.call("POST", "/v1/attributions/claim", body)
        return str(answer.raise_for_status().json()["outcome"])

    async def decision(self, attempt_id: str) -> Decision:
        """Why a signup belongs to a referral: by its event's id."""
        answer = await self.call("GET", f"/v1/attributions/{attempt_id}")
        return Decision.model_validate_json(answer.raise_for_status().content)

    async def referral(self, referral_id: str) -> Referral:
        answer = await self.call("GET", f"/v1/referrals/{referral_id}")
        return Referral.model_validate_json(answer.raise_for_status().content)

    async def referrals_of(self, referee_id: str) -> list[Referral]:
        page = await self._page("/v1/referrals", player_id=referee_id, role="referee")
        return [Referral.model_validate(item) for item in page]

    async def rewards_of(self, player_id: str) -> list[Reward]:
        page = await self._page("/v1/rewards", player_id=player_id)
        return [Reward.model_validate(item) for item in page]

    async def balance(self, player_id: str) -> Balance:
        answer = await self.call("GET", f"/v1/players/{player_id}/balance")
        return Balance.model_validate_json(answer.raise_for_status().content)

    async def spend(self, player_id: str, minor: int) -> Balance:
        body = {"amount": usd(minor), "reference": unique("spend")}
        answer = await self.call("POST", f"/v1/players/{player_id}/spend", body)
        return Balance.model_validate_json(answer.raise_for_status().content)

    async def wait_for_review(self, referral_id: str) -> Review:
        async def ask() -> list[Review]:
            page = await self._page("/v1/reviews", limit=200)
            reviews = [Review.model_validate(item) for item in page]
            return [review for review in reviews if review.referral_id == referral_id]

        return (await until(ask, bool, what=f"a review of {referral_id}"))[0]

    async def decide(self, review_id: str, decision: str, reason: str) -> httpx.Response:
        """A second person's word, which may be refused."""
        body = {"decision": decision, "reason": reason}
        path = f"/v1/reviews/{review_id}/decision"
        return await self.call("POST", path, body, headers=self._approver)

    async def publish(self, draft: Mapping[str, Any]) -> str:
        """Draft a campaign, let a second person publish it, and answer its slug."""
        (await self.call("POST", "/v1/campaigns", draft)).raise_for_status()
        path = f"/v1/campaigns/{draft['slug']}/publish"
        (await self.call("POST", path, headers=self._approver)).raise_for_status()
        return str(draft["slug"])

    async def fund(self, slug: str, minor: int) -> None:
        body = {"amount": usd(minor), "reference": unique("top-up")}
        path = f"/v1/campaigns/{slug}/fund"
        (await self.call("POST", path, body, headers=self._approver)).raise_for_status()

    async def end(self, slug: str) -> None:
        path = f"/v1/campaigns/{slug}/end"
        (await self.call("POST", path, headers=self._approver)).raise_for_status()

    async def verify(self) -> Verification:
        answer = await self.call("GET", "/v1/ledger/verify", timeout=60)
        return Verification.model_validate_json(answer.raise_for_status().content)

    async def delivered(self, *, within_s: float = PATIENCE_S) -> Verification:
        """Wait until every workflow has heard all that was reported."""
        return await until(
            self.verify,
            lambda verification: not verification.lag.undelivered,
            what="nothing left to deliver",
            within_s=within_s,
        )

    async def at_stage(
        self, referral_id: str, *stages: str, within_s: float = PATIENCE_S
    ) -> Referral:
        """Wait until the referral has come to one of these stages."""
        return await until(
            lambda: self.referral(referral_id),
            lambda referral: referral.stage in stages,
            what=f"{' or '.join(stages)}",
            within_s=within_s,
        )

    async def bound(self, referee_id: str) -> Referral:
        """Wait until the player's signup is bound to a referral."""
        found = await until(
            lambda: self.referrals_of(referee_id), bool, what=f"a referral of {referee_id}"
        )
        return found[0]

    async def _page(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        answer = await self.call("GET", path, params=query)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items


@asynccontextmanager
async def connected(api_url: str, *, api_key: str, approver_key: str) -> AsyncIterator[Book]:
    async with httpx.AsyncClient(
        base_url=api_url,
        headers={"Authorization": f"Bearer {api_key}"},
        timeout=CALL_S,
        limits=httpx.Limits(max_connections=CONNECTIONS),
        trust_env=False,
    ) as client:
        yield Book(client, approver_key=approver_key)
