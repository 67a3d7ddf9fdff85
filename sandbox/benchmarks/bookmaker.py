"""What the sportsbook's services and players send, by number, through the real doors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.benchmarks.caller import Caller
from stack.state_directory import Connection

QUICK: Final = "bench-quick"
"""Its chargeback window closes after a second."""
BRIEF: Final = "bench-brief"
"""Its signup window closes after a second."""
REFERRALS_A_CODE: Final = 4
_MONEY: Final = {"minor": 1000, "currency": "USD"}
_TERMS: Final = {
    "signup_window": "PT1H",
    "deposit_window": "PT1H",
    "minimum_deposit": _MONEY,
    "hold_period": "PT0S",
    "review_period": "P3D",
    "chargeback_window": "PT1S",
    "lateness_grace": "PT0S",
    "referrer_reward": _MONEY,
}


class ReferralTraffic:
    """`series` keeps the ids of one measurement apart from those of the others."""

    def __init__(self, caller: Caller, *, series: str, campaign: str = "default") -> None:
        self._caller = caller
        self._series = series
        self._campaign = campaign
        self._codes: dict[int, str] = {}
        self._tokens: dict[int, str] = {}
        self.referrals: dict[int, str] = {}

    def player(self, number: int) -> str:
        return f"{self._series}-{number}"

    async def code(self, group: int) -> str:
        """The code of one referrer."""
        body = {"player_id": f"{self._series}-referrer-{group}", "campaign": self._campaign}
        self._codes[group] = (await self._caller.post("/v1/codes", body)).json()["code"]
        return self._codes[group]

    async def click(self, number: int) -> None:
        body = {
            "code": self._codes[number // REFERRALS_A_CODE],
            "visitor_id": self.player(number),
            "platform": "web",
        }
        answer = (await self._caller.post("/v1/clicks", body)).json()
        self._tokens[number] = answer["referral_token"]
        self.referrals[number] = answer["referral_id"]

    async def sign_up(self, number: int) -> None:
        body = {
            "platform": "web",
            "jurisdiction": "US-NJ",
            "currency": "USD",
            "referral_token": self._tokens[number],
            "email": f"{self.player(number)}@mail.example",
        }
        await self._report("signups", number, body)

    async def deposit(self, number: int) -> None:
        await self._report("deposits", number, deposit_of(self.player(number)))

    async def _report(self, kind: str, number: int, body: Mapping[str, object]) -> None:
        happening = {
            "event_id": f"{kind}-{self.player(number)}",
            "occurred_at": _now(),
            "player_id": self.player(number),
        }
        await self._caller.post(f"/v1/events/{kind}", {**happening, **body})


def deposit_of(player_id: str) -> dict[str, object]:
    return {
        "deposit_id": f"deposit-{player_id}",
        "amount": _MONEY,
        "payment_instrument": f"card-{player_id}",
        "ip": "203.0.113.7",
    }


def full_deposit(player_id: str) -> dict[str, object]:
    """The whole event, for a door that is asked nothing else."""
    happening = {"event_id": player_id, "occurred_at": _now(), "player_id": player_id}
    return happening | deposit_of(player_id)


async def open_campaigns(connection: Connection, caller: Caller) -> None:
    """Both short campaigns, published by the second person."""
    approver = Caller(connection.api_url, key=connection.approver_api_key)
    for slug, changed in ((QUICK, {}), (BRIEF, {"signup_window": "PT1S"})):
        draft = {
            "slug": slug,
            "name": slug,
            "starts_at": "2020-01-01T00:00:00Z",
            "destination": "https://book.example/signup",
            "budget": {"minor": 10**9, "currency": "USD"},
            "terms": _TERMS | changed,
        }
        await caller.post("/v1/campaigns", draft)
        await approver.post(f"/v1/campaigns/{slug}/publish", {})
    approver.close()


def _now() -> str:
    return datetime.now(UTC).isoformat()
