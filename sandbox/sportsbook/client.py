"""A sportsbook's HTTP client of the service; it retries as the sportsbook's outbox would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from sandbox.sportsbook.polling import WAIT_TIMEOUT_S, wait_until
from sandbox.sportsbook.requests import Event, unique_id, usd
from sandbox.sportsbook.responses import (
    AttributionDecision,
    Balance,
    Fact,
    Invitation,
    Referral,
    Resolution,
    Review,
    Verification,
)

RETRY_INTERVAL_S: Final = 0.2
MAX_ATTEMPTS: Final = 300
REQUEST_TIMEOUT_S: Final = 10.0
MAX_CONNECTIONS: Final = 16


class SportsbookClient:
    """A client whose methods raise httpx.HTTPStatusError for a 4xx, unless they say otherwise."""

    def __init__(self, client: httpx.AsyncClient, *, approver_key: str) -> None:
        self.client = client
        self._approver = {"Authorization": f"Bearer {approver_key}"}

    async def send(self, event: Event) -> str:
        """Report an event until it is accepted; return `accepted` or `duplicate`."""
        answer = await self.call("POST", f"/v1/events/{event.resource}", event.body)
        return str(answer.raise_for_status().json()["status"])

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - as httpx takes them
    ) -> httpx.Response:
        """Send a request until the service is available; a 4xx is returned, not raised."""
        for _ in range(MAX_ATTEMPTS):
            try:
                answer = await self.client.request(method, path, json=body, **options)
            except httpx.TransportError:
                answer = None
            if answer is not None and not answer.is_server_error:
                return answer
            await asyncio.sleep(RETRY_INTERVAL_S)
        raise httpx.ConnectError(f"{method} {path} was not answered in {MAX_ATTEMPTS} attempts")

    async def code(self, player_id: str, campaign: str = "default") -> str:
        body = {"player_id": player_id, "campaign": campaign}
        answer = await self.call("POST", "/v1/codes", body)
        return str(answer.raise_for_status().json()["code"])

    async def click(
        self, code: str, visitor_id: str | None = None, *, platform: str = "ios", **traits: str
    ) -> Invitation:
        """Record a click; `traits` are those of the device and its network that the page sees."""
        visitor_id = visitor_id or unique_id("visitor")
        body = {"code": code, "visitor_id": visitor_id, "platform": platform, **traits}
        answer = await self.call("POST", "/v1/clicks", body)
        return Invitation.model_validate_json(answer.raise_for_status().content)

    async def follow(self, code: str, *, user_agent: str, language: str) -> httpx.Response:
        """Visit the link as a browser or another program would."""
        headers = {"User-Agent": user_agent, "Accept-Language": language}
        return await self.call("GET", f"/r/{code}", headers=headers)

    async def resolve(self, **first_open: str) -> Resolution:
        """Report an app's first open; return the referral that its person came by."""
        answer = await self.call("POST", "/v1/attributions/resolve", first_open)
        return Resolution.model_validate_json(answer.raise_for_status().content)

    async def confirm(self, token: str, *, confirmed: bool = True) -> str:
        """Send the person's answer to the app's question; return its outcome."""
        body = {"referral_token": token, "confirmed": confirmed}
        answer = await self.call("POST", "/v1/attributions/confirm", body)
        return str(answer.raise_for_status().json()["outcome"])

    async def claim(self, player_id: str, code: str) -> str:
        """Claim a code typed after the signup; return the outcome."""
        body = {"player_id": player_id, "code": code}
        answer = await self.call("POST", "/v1/attributions/claim", body)
        return str(answer.raise_for_status().json()["outcome"])

    async def get_attribution(self, attempt_id: str) -> AttributionDecision:
        """Return the decision about a signup, by the id of its event."""
        answer = await self.call("GET", f"/v1/attributions/{attempt_id}")
        return AttributionDecision.model_validate_json(answer.raise_for_status().content)

    async def referral(self, referral_id: str) -> Referral:
        answer = await self.call("GET", f"/v1/referrals/{referral_id}")
        return Referral.model_validate_json(answer.raise_for_status().content)

    async def facts(self, referral_id: str) -> list[Fact]:
        """Return what was reported of a referral's pair, oldest first, at most 200 events."""
        page = await self._page(f"/v1/referrals/{referral_id}/facts", limit=200)
        return [Fact.model_validate(item) for item in page]

    async def referrals_of(self, referee_id: str) -> list[Referral]:
        page = await self._page("/v1/referrals", player_id=referee_id, role="referee")
        return [Referral.model_validate(item) for item in page]

    async def balance(self, player_id: str) -> Balance:
        answer = await self.call("GET", f"/v1/players/{player_id}/balance")
        return Balance.model_validate_json(answer.raise_for_status().content)

    async def spend(self, player_id: str, minor: int) -> Balance:
        body = {"amount": usd(minor), "reference": unique_id("spend")}
        answer = await self.call("POST", f"/v1/players/{player_id}/spend", body)
        return Balance.model_validate_json(answer.raise_for_status().content)

    async def wait_for_review(self, referral_id: str) -> Review:
        async def ask() -> list[Review]:
            page = await self._page("/v1/reviews", limit=200)
            reviews = [Review.model_validate(item) for item in page]
            return [review for review in reviews if review.referral_id == referral_id]

        return (await wait_until(ask, bool, what=f"a review of {referral_id}"))[0]

    async def decide(self, review_id: str, decision: str, reason: str) -> httpx.Response:
        """Decide a review as a second person; a 4xx is returned, not raised."""
        body = {"decision": decision, "reason": reason}
        path = f"/v1/reviews/{review_id}/decision"
        return await self.call("POST", path, body, headers=self._approver)

    async def publish(self, draft: Mapping[str, Any]) -> str:
        """Draft a campaign, publish it as a second person, and return its slug."""
        (await self.call("POST", "/v1/campaigns", draft)).raise_for_status()
        path = f"/v1/campaigns/{draft['slug']}/publish"
        (await self.call("POST", path, headers=self._approver)).raise_for_status()
        return str(draft["slug"])

    async def fund(self, slug: str, minor: int) -> None:
        body = {"amount": usd(minor), "reference": unique_id("top-up")}
        path = f"/v1/campaigns/{slug}/fund"
        (await self.call("POST", path, body, headers=self._approver)).raise_for_status()

    async def end(self, slug: str) -> None:
        path = f"/v1/campaigns/{slug}/end"
        (await self.call("POST", path, headers=self._approver)).raise_for_status()

    async def verify(self, *, max_age_s: int | None = None) -> Verification:
        """Return the newest verification, or one that is at most `max_age_s` old."""
        params = {} if max_age_s is None else {"max_age_s": max_age_s}
        answer = await self.call("GET", "/v1/ledger/verify", params=params, timeout=60)
        return Verification.model_validate_json(answer.raise_for_status().content)

    async def wait_until_delivered(self, *, within_s: float = WAIT_TIMEOUT_S) -> Verification:
        """Wait until every fact is delivered to its workflow, and verify what is there then."""
        await wait_until(
            self.verify,
            lambda verification: not verification.lag.undelivered,
            what="nothing left to deliver",
            within_s=within_s,
        )
        return await self.verify(max_age_s=0)

    async def wait_for_stage(
        self, referral_id: str, *stages: str, within_s: float = WAIT_TIMEOUT_S
    ) -> Referral:
        """Wait until the referral is in one of these stages."""
        return await wait_until(
            lambda: self.referral(referral_id),
            lambda referral: referral.stage in stages,
            what=f"{' or '.join(stages)}",
            within_s=within_s,
        )

    async def wait_until_bound(self, referee_id: str) -> Referral:
        """Wait until the player's signup is bound to a referral."""
        found = await wait_until(
            lambda: self.referrals_of(referee_id), bool, what=f"a referral of {referee_id}"
        )
        return found[0]

    async def _page(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        answer = await self.call("GET", path, params=query)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items


@asynccontextmanager
async def connect_sportsbook(
    api_url: str, *, api_key: str, approver_key: str
) -> AsyncIterator[SportsbookClient]:
    async with httpx.AsyncClient(
        base_url=api_url,
        headers={"Authorization": f"Bearer {api_key}"},
        timeout=REQUEST_TIMEOUT_S,
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        trust_env=False,
    ) as client:
        yield SportsbookClient(client, approver_key=approver_key)
