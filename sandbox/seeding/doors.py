"""The doors through which a seeded past comes: the API's requests of one circle."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from courier.fraud.late_links import LateLinks
from courier.route_player import route_player
from db.engine import Database
from referrals.attribution.tokens import Tokens
from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.fraud_evaluation.accounts import Account
from sandbox.seeding.circles import Act, Circle, Step
from sandbox.sportsbook.requests import usd


class Doors:
    """Reports a circle's acts over the API, and routes them as the courier would."""

    def __init__(
        self, circle: Circle, client: InProcessClient, database: Database, tokens: Tokens
    ) -> None:
        self._circle = circle
        self._client = client
        self._database = database
        self._tokens = tokens
        self._late_links = LateLinks(database)
        self._code: str | None = None
        self._referral_tokens: dict[str, str] = {}
        self._reports: Mapping[Step, Callable[[Act], Awaitable[None]]] = {
            Step.SHARE: self._share,
            Step.CLICK: self._click,
            Step.SIGNUP: self._sign_up,
            Step.DEPOSIT: self._deposit,
            Step.CHARGEBACK: self._take_back,
            Step.CHARGEBACK_WON: self._take_back,
        }

    async def report(self, act: Act) -> bool:
        """Report one act, and return whether it may have earned a reward or cost one."""
        await self._reports[act.step](act)
        return act.step in {Step.DEPOSIT, Step.CHARGEBACK, Step.CHARGEBACK_WON}

    async def _share(self, act: Act) -> None:
        body = {"code": await self._known_code(act), "channel": act.fields["channel"]}
        await self._client.post("/v1/shares", body, at=act.at)

    async def _click(self, act: Act) -> None:
        account = act.account
        body = {
            "code": await self._known_code(act),
            "visitor_id": f"visitor-{account.player_id}",
            "platform": account.platform,
            "ip": account.ip,
        }
        answer = await self._client.post("/v1/clicks", body, at=act.at)
        self._referral_tokens[account.player_id] = str(answer["referral_token"])

    async def _sign_up(self, act: Act) -> None:
        account = act.account
        token = self._referral_tokens.get(account.player_id)
        handed_over = {"referral_token": token} if token else {}
        where = {"platform": account.platform, "currency": "USD"}
        await self._event("signups", act, _personal(account) | where | act.fields | handed_over)

    async def _deposit(self, act: Act) -> None:
        fields = dict(act.fields)
        paid = {"deposit_id": _deposit_id(act), "amount": usd(fields.pop("minor"))}
        where = {"ip": act.account.ip, "device_id": act.account.device_id}
        await self._event("deposits", act, paid | where | fields)

    async def _take_back(self, act: Act) -> None:
        body = {"deposit_id": _deposit_id(act), "kind": str(act.step)}
        await self._event("chargebacks", act, body)

    async def _event(self, resource: str, act: Act, fields: Mapping[str, Any]) -> None:
        player_id = act.account.player_id
        event = {
            "event_id": f"{act.step}-{player_id}",
            "player_id": player_id,
            "occurred_at": act.at.isoformat(),
        }
        await self._client.post(f"/v1/events/{resource}", event | dict(fields), at=act.at)
        async with self._database.transaction() as session:
            await route_player(session, player_id, tokens=self._tokens, now=act.at)
        while act.step is Step.DEPOSIT and await self._late_links.follow():
            pass

    async def _known_code(self, act: Act) -> str:
        if self._code is None:
            body = {"player_id": self._circle.referrer.player_id, "campaign": self._circle.campaign}
            self._code = str((await self._client.post("/v1/codes", body, at=act.at))["code"])
        return self._code


def _deposit_id(act: Act) -> str:
    return f"first-of-{act.account.player_id}"


def _personal(account: Account) -> dict[str, Any]:
    names = ("device_id", "ip", "email", "phone", "kyc_subject", "full_name")
    return {name: getattr(account, name) for name in names}
