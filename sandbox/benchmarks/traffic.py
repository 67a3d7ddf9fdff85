"""Numbered requests of players and of the sportsbook's services, sent to the service under test."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.benchmarks.http_client import HttpClient
from sandbox.sportsbook.requests import address_of, campaign_draft, mailbox_of, usd
from stack.state_directory import Connection

SHORT_CHARGEBACK_CAMPAIGN: Final = "bench-quick"
"""Slug of the campaign whose chargeback window closes after a second."""
SHORT_SIGNUP_CAMPAIGN: Final = "bench-brief"
"""Slug of the campaign whose signup window closes after a second."""
REFERRALS_PER_CODE: Final = 4
_BUDGET_MINOR: Final = 10**9
_AMOUNT: Final = usd(2000)
_TERMS: Final = {
    "signup_window": "PT1H",
    "deposit_window": "PT1H",
    "chargeback_window": "PT1S",
    "lateness_grace": "PT0S",
}


class ReferralTraffic:
    """The requests of one measurement; `series` keeps its ids apart from those of the others."""

    def __init__(self, client: HttpClient, *, series: str, campaign: str = "default") -> None:
        self._client = client
        self._series = series
        self._campaign = campaign
        self._codes: dict[int, str] = {}
        self._tokens: dict[int, str] = {}
        self.referrals: dict[int, str] = {}

    def player(self, number: int) -> str:
        return f"{self._series}-{number}"

    def referrer(self, group: int) -> str:
        return f"{self._series}-referrer-{group}"

    async def code(self, group: int) -> str:
        """Create the code of one referrer, whose clicks are the numbers of this group."""
        body = {"player_id": self.referrer(group), "campaign": self._campaign}
        self._codes[group] = (await self._client.post("/v1/codes", body)).json()["code"]
        return self._codes[group]

    async def click(self, number: int) -> None:
        body = {
            "code": self._codes[number // REFERRALS_PER_CODE],
            "visitor_id": self.player(number),
            "platform": "web",
        }
        invitation = (await self._client.post("/v1/clicks", body)).json()
        self._tokens[number] = invitation["referral_token"]
        self.referrals[number] = invitation["referral_id"]

    async def sign_up(self, number: int) -> None:
        body = {
            "platform": "web",
            "jurisdiction": "US-NJ",
            "currency": "USD",
            "referral_token": self._tokens[number],
            "email": mailbox_of(self.player(number)),
        }
        await self._report("signups", number, body)

    async def verify(self, number: int) -> None:
        """Report that the friend's identity was checked."""
        await self._report("players", number, {"status": "verified"})

    async def deposit(self, number: int) -> None:
        await self._report("deposits", number, _deposit_fields(self.player(number)))

    async def deposit_little(self, number: int, *, minor: int) -> None:
        """Report a deposit that is too small to qualify; give each its own amount."""
        fields = _deposit_fields(self.player(number))
        fields |= {"amount": usd(minor), "deposit_id": f"{fields['deposit_id']}-{minor}"}
        await self._report("deposits", number, fields, name=f"small-{minor}")

    async def _report(
        self, kind: str, number: int, body: Mapping[str, object], *, name: str | None = None
    ) -> None:
        player_id = self.player(number)
        event_fields = _event_fields(f"{name or kind}-{player_id}", player_id=player_id)
        await self._client.post(f"/v1/events/{kind}", {**event_fields, **body})


def deposit_body(player_id: str) -> dict[str, object]:
    """Return a whole deposit event of a player who has no other."""
    return _event_fields(player_id, player_id=player_id) | _deposit_fields(player_id)


async def open_campaigns(connection: Connection, client: HttpClient) -> None:
    """Draft both short campaigns, and publish them as a second person."""
    await open_campaign(connection, client, slug=SHORT_CHARGEBACK_CAMPAIGN)
    await open_campaign(connection, client, slug=SHORT_SIGNUP_CAMPAIGN, signup_window="PT1S")


async def open_campaign(
    connection: Connection, client: HttpClient, *, slug: str, **changed_terms: str
) -> None:
    """Draft a campaign whose chargeback window closes after a second, and publish it."""
    draft = campaign_draft(slug=slug, name=slug, budget_minor=_BUDGET_MINOR)
    draft["terms"] |= _TERMS | changed_terms
    await client.post("/v1/campaigns", draft)
    approver = HttpClient(connection.api_url, key=connection.approver_api_key)
    try:
        await approver.post(f"/v1/campaigns/{slug}/publish", {})
    finally:
        approver.close()


def _event_fields(event_id: str, *, player_id: str) -> dict[str, object]:
    occurred_at = datetime.now(UTC).isoformat()
    return {"event_id": event_id, "occurred_at": occurred_at, "player_id": player_id}


def _deposit_fields(player_id: str) -> dict[str, object]:
    return {
        "deposit_id": f"deposit-{player_id}",
        "amount": _AMOUNT,
        "payment_instrument": f"card-{player_id}",
        "ip": address_of(player_id),
    }
