"""Waking of referrals that wait for a limit or a yearly threshold, the longest waiting first."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession, Session
from db.tables import ReferralRow
from db.wakes import write_and_wake
from domain.campaigns.limits.decision import LimitOf
from domain.campaigns.limits.periods import Per
from domain.lifecycle.signals import LOOK, Signal
from domain.rewards.holds import HoldReason

FREED: Final = "limit/"
ENDED: Final = "limit-end/"
TAX_RELEASED: Final = "tax/"
TAX_FREED: Final = "tax-freed/"
"""Prefixes of the wake-ups' event ids. A `/` is in no id of a caller."""
WHOLE_CAMPAIGN: Final = [f"{of}_{Per.CAMPAIGN}" for of in LimitOf]
"""Names of the limits that last until the campaign's end."""

# The one that waits longest for a limit of the campaign, and the one for a limit of the referrer:
# each wakes the next as it leaves.
_WAKE_NEXT: Final = text("""
    with waiting as (
        select h.referral_id, h.since, r.referrer_id, h.detail[1] like 'referrer%' as is_of_referrer
          from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'limit' and h.cleared_at is null
           and r.campaign_id = :campaign_id and r.id <> :referral_id
    ), woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select referral_id, :kind, :event_id, :signal from (
            (select referral_id from waiting where not is_of_referrer
              order by since, referral_id limit 1)
            union all
            (select referral_id from waiting
              where is_of_referrer and referrer_id = :referrer_id
              order by since, referral_id limit 1)
        ) as next
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
_WAKE_ALL: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select r.id, :kind, :event_id, :signal
          from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'limit' and h.cleared_at is null and h.detail && :names
           and r.campaign_id = :campaign_id
         order by h.since, r.id
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
_WAKE_RELEASED: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select r.id, :kind, :event_id, :signal
          from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'tax' and h.cleared_at is null
           and (r.referrer_id = :player_id or r.referee_id = :player_id)
         order by h.since, r.id
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
# The one that waits longest for each player of a pair: each wakes the next as it leaves. The hold's
# detail is the side whose player is over the threshold.
_WAKE_NEXT_TAXED: Final = text("""
    with waiting as (
        select h.referral_id, h.since,
               case h.detail[1] when 'referee' then r.referee_id else r.referrer_id end as player_id
          from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'tax' and h.cleared_at is null and r.id <> :referral_id
           and (r.referrer_id = any(:players) or r.referee_id = any(:players))
    ), woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select referral_id, :kind, :event_id, :signal from (
            select distinct on (player_id) referral_id, since from waiting
             where player_id = any(:players)
             order by player_id, since, referral_id
        ) as next
         order by since, referral_id
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
_WAITS: Final = text("""
    select reason from holds where referral_id = :referral_id
       and reason in ('limit', 'tax') and cleared_at is null
""")
_CYCLES: Final = text("""
    select coalesce(sum(cycle), 0) from rewards where referral_id = :referral_id
""")


async def waits_for(session: ReadSession, referral_id: UUID) -> frozenset[HoldReason]:
    """Return which places a locked referral waits for: under a limit, or a yearly threshold."""
    reasons = await session.scalars(_WAITS, {"referral_id": referral_id})
    return frozenset(HoldReason(reason) for reason in reasons)


async def moves_of(session: ReadSession, leaving: ReferralRow) -> str:
    """Return a name of a referral's present move, which no other one of it has."""
    cycles = await session.scalar(_CYCLES, {"referral_id": leaving.id})
    return f"{leaving.id}/{leaving.steps}/{cycles}"


async def wake_next(session: Session, leaving: ReferralRow) -> None:
    """Wake the longest waiting in place of a referral that took a place, or left one."""
    values = {
        "campaign_id": leaving.campaign_id,
        "referral_id": leaving.id,
        "referrer_id": leaving.referrer_id,
        "event_id": FREED + await moves_of(session, leaving),
    }
    await write_and_wake(session, _WAKE_NEXT, values | _signal())


async def wake_for_end(session: Session, campaign_id: UUID, *, audit_id: int) -> None:
    """Wake those that wait for a limit of the whole campaign, as its end has come or was moved."""
    values = {
        "campaign_id": campaign_id,
        "names": WHOLE_CAMPAIGN,
        "event_id": f"{ENDED}{audit_id}",
    }
    await write_and_wake(session, _WAKE_ALL, values | _signal())


async def wake_next_taxed(session: Session, leaving: ReferralRow) -> None:
    """Wake the longest waiting of each player of a referral that took a place, or left one."""
    values: dict[str, Any] = {
        "referral_id": leaving.id,
        "players": sorted({leaving.referrer_id, leaving.referee_id or leaving.referrer_id}),
        "event_id": TAX_FREED + await moves_of(session, leaving),
    }
    await write_and_wake(session, _WAKE_NEXT_TAXED, values | _signal())


async def wake_released(session: Session, player_id: str, *, audit_id: int) -> None:
    """Wake all that wait under a player's threshold, which was released."""
    values = {"player_id": player_id, "event_id": f"{TAX_RELEASED}{audit_id}"}
    await write_and_wake(session, _WAKE_RELEASED, values | _signal())


def _signal() -> dict[str, object]:
    return {
        "kind": LOOK,
        "signal": Signal.LOOK.value,
    }
