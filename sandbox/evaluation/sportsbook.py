"""The sportsbook beside the simulated people: it reports them, and what it reports takes effect.

Courier and worker are their real code, called at once and at the simulated time: what a report
leads to does not wait for Temporal, which decides nothing about attribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from activities.fraud import FraudActivities
from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest
from activities.rewards import RewardActivities
from courier.route_player import route_player
from db.engine import Database
from db.paging import PageRequest
from domain.lifecycle.referral import Stage, Standing
from domain.privacy import Hasher
from referrals.attribution.tokens import Tokens
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter
from runtime.settings import Settings
from sandbox.evaluation.door import Answer, Door

ROUTED_AFTER: Final = timedelta(seconds=1)
"""How long the courier takes, in simulated time."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What the workflow of a referral calls when a deposit is heard."""

    fraud: FraudActivities
    rewards: RewardActivities

    async def credit(self, request: ActRequest) -> None:
        scoring = await self.fraud.score_fraud(request)
        if scoring.verdict is not None:
            credited = ActRequest(
                referral_id=request.referral_id, standing=scoring.standing, now=request.now
            )
            await self.rewards.credit_reward(credited)


class Sportsbook:
    def __init__(self, settings: Settings, database: Database, door: Door) -> None:
        self._database = database
        self._door = door
        self._tokens = Tokens(settings.token_key.get_secret_value())
        hasher = Hasher(settings.hash_key.get_secret_value())
        locked = LockedReferrals(database, hasher=hasher, tokens=self._tokens)
        self._acts = Acts(FraudActivities(locked), RewardActivities(locked))
        self._codes: dict[tuple[str, str], str] = {}

    async def code(self, player_id: str, campaign: str, *, at: datetime) -> str:
        """The code that a player shares in a campaign."""
        known = self._codes.get((player_id, campaign))
        if known is None:
            body = {"player_id": player_id, "campaign": campaign}
            known = (await self._door.post("/v1/codes", body, at=at))["code"]
            self._codes[player_id, campaign] = known
        return known

    async def resolve(self, found: Mapping[str, object], *, at: datetime) -> dict[str, Any]:
        """What the service makes of an app's first open."""
        return await self._door.post("/v1/attributions/resolve", found, at=at)

    async def confirm(self, token: str, *, confirmed: bool, at: datetime) -> Answer:
        """What a person said; the answer may be a refusal, which an app ignores."""
        answered = {"referral_token": token, "confirmed": confirmed}
        return await self._door.try_post("/v1/attributions/confirm", answered, at=at)

    async def claim(self, player_id: str, code: str, *, at: datetime) -> Answer:
        """A code typed after the signup; the answer may be a refusal."""
        body = {"player_id": player_id, "code": code}
        return await self._door.try_post("/v1/attributions/claim", body, at=at)

    async def signed_up(
        self, event_id: str, player_id: str, *, at: datetime, heard_at: datetime, **fields: object
    ) -> None:
        told = fields | {"jurisdiction": "US-NJ", "currency": "USD"}
        await self._report("signups", event_id, player_id, at=at, heard_at=heard_at, **told)

    async def deposited(self, event_id: str, player_id: str, *, minor: int, at: datetime) -> None:
        """A settled deposit, for which the referrer is paid if the player was brought by one."""
        await self._report(
            "deposits",
            event_id,
            player_id,
            at=at,
            heard_at=at,
            deposit_id=event_id,
            amount={"minor": minor, "currency": "USD"},
            payment_instrument=f"card-{player_id}",
        )
        await self.credit(player_id, at=at)

    async def credit(self, player_id: str, *, at: datetime) -> None:
        """What the workflow does when it is told of something, if the player has a referral."""
        now = at + ROUTED_AFTER
        wanted = ReferralFilter(referee_id=player_id, stage=Stage.SIGNED_UP)
        async with self._database.reading() as session:
            bound = await referral_views.list_referrals(session, wanted, PageRequest(limit=1))
        for referral in bound.items:
            standing = Standing(referral.stage, referral.until)
            request = ActRequest(referral_id=referral.referral_id, standing=standing, now=now)
            await self._acts.credit(request)

    async def _report(
        self,
        door: str,
        event_id: str,
        player_id: str,
        *,
        at: datetime,
        heard_at: datetime,
        **fields: object,
    ) -> None:
        event = {"event_id": event_id, "player_id": player_id, "occurred_at": at.isoformat()}
        known = {name: value for name, value in fields.items() if value is not None}
        await self._door.post(f"/v1/events/{door}", event | known, at=heard_at)
        async with self._database.transaction() as session:
            await route_player(session, player_id, tokens=self._tokens, now=heard_at + ROUTED_AFTER)
