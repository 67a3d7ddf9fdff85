"""The simulated sportsbook, which reports events and applies their effects at once.

The code of courier and worker is real, but called here at the simulated time: effects do not
wait for Temporal, which decides nothing about attribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest
from activities.rewards import RewardActivities
from courier.route_player import route_player
from db.engine import Database
from db.paging import PageRequest
from domain.lifecycle.referral import Stage, Standing
from referrals.attribution.tokens import Tokens
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter
from runtime.settings import Settings
from sandbox.evaluation.in_process_client import InProcessClient, Response
from sandbox.sportsbook.requests import usd

ROUTED_AFTER: Final = timedelta(seconds=1)
"""Simulated time from a report until the courier routes it."""


@dataclass(frozen=True, slots=True)
class Acts:
    """The activities that a referral's workflow calls after a deposit."""

    rewards: RewardActivities

    async def score_and_credit(self, request: ActRequest) -> None:
        scoring = await self.rewards.score_and_credit(request)
        if scoring.standing.stage is Stage.HELD:
            await self._release(request.referral_id, scoring.standing)

    async def _release(self, referral_id: UUID, standing: Standing) -> None:
        """Look again when the hold ends: what waits for time alone is paid then."""
        waited = ActRequest(referral_id=referral_id, standing=standing, now=standing.until)
        await self.rewards.resolve_hold(waited)


class Sportsbook:
    def __init__(self, settings: Settings, database: Database, client: InProcessClient) -> None:
        self._database = database
        self._client = client
        self._tokens = Tokens(settings.token_key.get_secret_value())
        hasher = settings.hasher
        locked = LockedReferrals(database, hasher=hasher, tokens=self._tokens)
        self._acts = Acts(RewardActivities(locked))
        self._codes: dict[tuple[str, str], str] = {}

    async def code_of(self, player_id: str, campaign: str, *, at: datetime) -> str:
        """Return the code that a player shares in a campaign, created at the first call."""
        known = self._codes.get((player_id, campaign))
        if known is None:
            body = {"player_id": player_id, "campaign": campaign}
            known = (await self._client.post("/v1/codes", body, at=at))["code"]
            self._codes[player_id, campaign] = known
        return known

    async def resolve(self, first_open: Mapping[str, object], *, at: datetime) -> dict[str, Any]:
        """Report an app's first open; return the service's answer."""
        return await self._client.post("/v1/attributions/resolve", first_open, at=at)

    async def confirm(self, token: str, *, confirmed: bool, at: datetime) -> Response:
        """Report a person's answer to a match; a refusal is returned, and apps ignore it."""
        body = {"referral_token": token, "confirmed": confirmed}
        return await self._client.try_post("/v1/attributions/confirm", body, at=at)

    async def claim(self, player_id: str, code: str, *, at: datetime) -> Response:
        """Claim a code typed after the signup; a refusal is returned."""
        body = {"player_id": player_id, "code": code}
        return await self._client.try_post("/v1/attributions/claim", body, at=at)

    async def report_signup(
        self,
        event_id: str,
        player_id: str,
        *,
        at: datetime,
        reported_at: datetime,
        **fields: object,
    ) -> None:
        event_fields = fields | {"jurisdiction": "US-NJ", "currency": "USD"}
        await self._report(
            "signups", event_id, player_id, at=at, reported_at=reported_at, **event_fields
        )

    async def report_deposit(
        self, event_id: str, player_id: str, *, minor: int, at: datetime
    ) -> None:
        """Report a settled deposit, and credit the referrer if the player has one."""
        await self._report(
            "deposits",
            event_id,
            player_id,
            at=at,
            reported_at=at,
            deposit_id=event_id,
            amount=usd(minor),
            payment_instrument=f"card-{player_id}",
        )
        await self.credit(player_id, at=at)

    async def credit(self, player_id: str, *, at: datetime) -> None:
        """Score and credit the player's referral, if any, as its workflow does after each fact."""
        now = at + ROUTED_AFTER
        bound_and_unpaid = ReferralFilter(referee_id=player_id, stage=Stage.SIGNED_UP)
        async with self._database.reading() as session:
            bound = await referral_views.list_referrals(
                session, bound_and_unpaid, PageRequest(limit=1)
            )
        for referral in bound.items:
            standing = Standing(referral.stage, referral.until)
            request = ActRequest(referral_id=referral.referral_id, standing=standing, now=now)
            await self._acts.score_and_credit(request)

    async def _report(
        self,
        resource: str,
        event_id: str,
        player_id: str,
        *,
        at: datetime,
        reported_at: datetime,
        **fields: object,
    ) -> None:
        event = {"event_id": event_id, "player_id": player_id, "occurred_at": at.isoformat()}
        known = {name: value for name, value in fields.items() if value is not None}
        await self._client.post(f"/v1/events/{resource}", event | known, at=reported_at)
        async with self._database.transaction() as session:
            await route_player(
                session, player_id, tokens=self._tokens, now=reported_at + ROUTED_AFTER
            )
