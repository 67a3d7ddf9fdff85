"""The simulated sportsbook: reports what players do over the API, and routes it at once."""

from datetime import datetime, timedelta
from typing import Any, Final

from activities.locked_referrals import LockedReferrals
from courier.fraud.late_links import LateLinks
from courier.route_player import route_player
from db.engine import Database
from referrals.attribution.tokens import Tokens
from runtime.settings import Settings
from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.fraud_evaluation.accounts import Account
from sandbox.fraud_evaluation.deliveries import WokenReferrals
from sandbox.fraud_evaluation.groups import Act, ActKind
from sandbox.sportsbook.requests import usd

ROUTED_AFTER: Final = timedelta(seconds=1)
"""Simulated time from a report until the courier routes it."""


class Sportsbook:
    def __init__(self, settings: Settings, database: Database, client: InProcessClient) -> None:
        self._database = database
        self._client = client
        self._tokens = Tokens(settings.token_key.get_secret_value())
        hasher = settings.hasher
        locked = LockedReferrals(database, hasher=hasher, tokens=self._tokens)
        self.referrals = WokenReferrals(database, locked)
        self._late_links = LateLinks(database)
        self._codes: dict[tuple[str, str], str] = {}

    async def report(self, act: Act, campaign: str, *, number: int) -> None:
        """Report an act, whose number is unique among the player's, and route it."""
        if act.kind is ActKind.CLAIM:
            await self._claim(act, campaign)
            return
        player_id = act.account.player_id
        event = {
            "event_id": f"{player_id}.{number}",
            "player_id": player_id,
            "occurred_at": act.at.isoformat(),
        }
        body = event | await self._fields(act, campaign, event["event_id"])
        known = {name: value for name, value in body.items() if value is not None}
        await self._client.post(f"/v1/events/{act.kind}s", known, at=act.at)
        async with self._database.transaction() as session:
            await route_player(session, player_id, tokens=self._tokens, now=routed_at(act))
        if act.kind is not ActKind.WAGER:
            while await self._late_links.follow():
                pass

    async def _fields(self, act: Act, campaign: str, event_id: str) -> dict[str, Any]:
        if act.kind is ActKind.SIGNUP:
            return await self._signup_fields(act, campaign)
        if act.kind is ActKind.WAGER:
            return {"stake": usd(act.minor)}
        paid = {"amount": usd(act.minor), "payment_instrument": act.instrument}
        if act.kind is ActKind.WITHDRAWAL:
            return paid | {"withdrawal_id": event_id}
        account = act.account
        where = {"ip": account.ip, "device_id": account.device_id}
        return paid | where | {"deposit_id": event_id, "method": "card"}

    async def _signup_fields(self, act: Act, campaign: str) -> dict[str, Any]:
        by = act.brought_by
        code = await self._code_of(by, campaign, at=act.at) if by is not None else None
        return _personal_fields(act.account) | {
            "platform": act.account.platform,
            "jurisdiction": "US-NJ",
            "currency": "USD",
            "code": code,
        }

    async def _claim(self, act: Act, campaign: str) -> None:
        if act.brought_by is None:
            raise RuntimeError(f"{act.account.player_id} claims nobody's code")
        code = await self._code_of(act.brought_by, campaign, at=act.at)
        body = {"player_id": act.account.player_id, "code": code}
        await self._client.post("/v1/attributions/claim", body, at=act.at)

    async def _code_of(self, player_id: str, campaign: str, *, at: datetime) -> str:
        known = self._codes.get((player_id, campaign))
        if known is None:
            body = {"player_id": player_id, "campaign": campaign}
            known = str((await self._client.post("/v1/codes", body, at=at))["code"])
            self._codes[player_id, campaign] = known
        return known


def routed_at(act: Act) -> datetime:
    return act.at + ROUTED_AFTER


def _personal_fields(account: Account) -> dict[str, Any]:
    names = ("device_id", "ip", "email", "phone", "kyc_subject", "full_name")
    return {name: getattr(account, name) for name in names}
