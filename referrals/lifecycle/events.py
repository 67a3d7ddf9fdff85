"""Parts of a referral's events that make them complete: a consumer needs to ask for nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text

from db import outbox
from db.engine import ReadSession, Session
from db.tables import CampaignVersion, ReferralRow
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import MONEY_STAGES, Stage

# What the act has posted so far has the transaction's time, and nobody else acts for this referral
# meanwhile. The rewards' players are in the index of transfers. A recovery names the reward that
# the debt comes from, which may be another referral's. What a payment order asked less for than was
# reserved was never credited.
_REWARDS: Final = text("""
    with posted as (
        select reward_id, movement, amount_minor, reference from transfers
         where player_id = any(select player_id from rewards where referral_id = :referral_id)
           and recorded_at = now() and referral_id = :referral_id
    )
    select r.id, r.reward_type, coalesce(r.kind, 'cash') as kind, r.player_id, r.currency, r.status,
           coalesce(r.due_minor, r.amount_minor) as amount_minor,
           (select coalesce(sum(amount_minor), 0) from posted
             where reward_id = r.id
               and (movement = 'owe' or movement = 'reverse' and reference is null))
           as taken_back_minor,
           (select coalesce(sum(amount_minor), 0) from posted
             where movement = 'owe') as owed_minor,
           (select coalesce(sum(amount_minor), 0) from posted
             where movement = 'recover') as recovered_minor,
           exists (select from payment_orders where referral_id = r.referral_id) as has_wallet
      from rewards r
     where r.referral_id = :referral_id
     order by r.reward_type, r.kind nulls first
""")
_DEFERRED_UNTIL: Final = text("""
    select until from holds
     where referral_id = :referral_id and reason in ('limit', 'tax') and cleared_at is null
""")


async def money_of(session: ReadSession, row: ReferralRow) -> dict[str, Any]:
    """Return the rewards of a referral that has entered its stage, and the debts of that act.

    What is owed of a reward that is taken back is what its player has spent of it; with a wallet
    all of it is owed at first, and what was spent is not known. Amounts are null where there is
    nothing. Empty at stages that never have rewards.
    """
    if row.stage not in MONEY_STAGES:
        return {}
    rewards = (await session.execute(_REWARDS, {"referral_id": row.id})).all()
    owed = _total(rewards, "owed_minor")
    money = {
        "rewards": [_reward(reward, stage=row.stage) for reward in rewards],
        "owed": owed,
        "recovered": _total(rewards, "recovered_minor"),
        "spent": None if rewards and rewards[0].has_wallet else owed,
    }
    if row.stage is Stage.DEFERRED:
        until = await session.scalar(_DEFERRED_UNTIL, {"referral_id": row.id})
        money["deferred_until"] = until.isoformat() if until else None
    return money


async def write_qualified(
    session: Session, row: ReferralRow, *, event_id: UUID, at: datetime
) -> None:
    """Write that a referral qualifies, once per `event_id`."""
    type_ = "ReferralQualified"
    query = select(CampaignVersion.version).where(CampaignVersion.id == row.campaign_version_id)
    version = (await session.scalars(query)).one()
    payload = outbox.payload_of(
        event_id=event_id, type_=type_, referral=row, at=at, campaign_version=version
    )
    await outbox.write_event(
        session, event_id=event_id, type_=type_, key=str(row.id), payload=payload
    )


async def write_adjusted(
    session: Session,
    row: ReferralRow,
    before: Mapping[UUID, int],
    *,
    event_id: UUID,
    reason: ReasonCode | None,
    at: datetime,
) -> None:
    """Write that rewards of a referral were adjusted, once per `event_id`.

    `before` is what stood of each of them, in minor units.
    """
    type_ = "RewardAdjusted"
    query = select(CampaignVersion.version).where(CampaignVersion.id == row.campaign_version_id)
    version = (await session.scalars(query)).one()
    payload = outbox.payload_of(
        event_id=event_id,
        type_=type_,
        referral=row,
        at=at,
        campaign_version=version,
        reason_code=reason,
        reason=reason.text if reason else None,
    )
    payload |= await money_of(session, row)
    for reward in payload["rewards"]:
        minor = before[UUID(reward["reward_id"])]
        reward["amount_before"] = reward["amount"] | {"minor": minor}
    await outbox.write_event(
        session, event_id=event_id, type_=type_, key=str(row.id), payload=payload
    )


def _reward(reward: Row[Any], *, stage: Stage) -> dict[str, Any]:
    minor = reward.taken_back_minor if stage is Stage.REVERSED else reward.amount_minor
    return {
        "reward_id": str(reward.id),
        "reward_type": reward.reward_type,
        "kind": reward.kind,
        "player_id": reward.player_id,
        "amount": {"minor": int(minor), "currency": reward.currency},
        "status": reward.status,
    }


def _total(rewards: Sequence[Row[Any]], column: str) -> dict[str, Any] | None:
    minor = int(getattr(rewards[0], column)) if rewards else 0
    return {"minor": minor, "currency": rewards[0].currency} if minor else None
