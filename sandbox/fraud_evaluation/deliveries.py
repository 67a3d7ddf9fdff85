"""The work of Temporal: referrals that a group's facts woke, and the acts of their workflows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest
from activities.rewards import RewardActivities
from db.engine import Database
from db.tables import Delivery, ReferralRow
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Stage, Standing
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import standing_of


@dataclass(frozen=True, slots=True)
class Woken:
    """A referral with pending deliveries."""

    referral_id: UUID
    standing: Standing
    delivery_ids: tuple[int, ...]


class WokenReferrals:
    """Calls the activities that a referral's workflow calls when a delivery wakes it."""

    def __init__(self, database: Database, referrals: LockedReferrals) -> None:
        self._database = database
        self._rewards = RewardActivities(referrals)

    async def wake_all(self, players: str, *, now: datetime, waiting: dict[UUID, datetime]) -> None:
        """Act on the referrals of players whose ids begin with `players`, until none is woken.

        Keeps in `waiting` those that wait for a time, and until when.
        """
        while woken := await self._woken(players):
            for each in woken:
                standing = await self._act_and_acknowledge(each, now=now)
                waiting.pop(each.referral_id, None)
                if standing.stage is Stage.HELD:
                    waiting[each.referral_id] = standing.until

    async def wake(self, referral_id: UUID, *, now: datetime) -> datetime | None:
        """Act on a referral whose time is over; return until when it waits again, if it does."""
        async with self._database.reading() as session:
            row = await session.get_one(ReferralRow, referral_id)
            standing = standing_of(row)
        if standing.stage is not Stage.HELD or standing.until > now:
            return None
        standing = await self._act(referral_id, standing, now=now)
        return standing.until if standing.stage is Stage.HELD else None

    async def _woken(self, players: str) -> Sequence[Woken]:
        query = (
            select(Delivery.id, ReferralRow)
            .join(ReferralRow, ReferralRow.id == Delivery.referral_id)
            .where(Delivery.acknowledged_at.is_(None))
            .where(ReferralRow.referee_id.startswith(players, autoescape=True))
            .order_by(Delivery.id)
        )
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
        ids: dict[UUID, tuple[int, ...]] = {}
        for delivery_id, row in rows:
            ids[row.id] = (*ids.get(row.id, ()), delivery_id)
        standings = {row.id: standing_of(row) for _, row in rows}
        return [Woken(id_, standings[id_], found) for id_, found in ids.items()]

    async def _act_and_acknowledge(self, woken: Woken, *, now: datetime) -> Standing:
        """Act, and acknowledge after it: an act that fails is done again."""
        standing = await self._act(woken.referral_id, woken.standing, now=now)
        async with self._database.transaction() as session:
            await deliveries.acknowledge(session, woken.delivery_ids)
        return standing

    async def _act(self, referral_id: UUID, standing: Standing, *, now: datetime) -> Standing:
        request = ActRequest(referral_id=referral_id, standing=standing, now=now)
        if standing.stage in CREDITED_STAGES:
            return await self._rewards.compensate_reward(request)
        if standing.stage is Stage.HELD:
            return await self._rewards.resolve_hold(request)
        if standing.stage not in EARNING_STAGES:
            return standing
        return (await self._rewards.score_and_credit(request)).standing
