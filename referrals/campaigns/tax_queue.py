"""Waking of referrals that wait under a player's yearly threshold, the longest waiting first."""

from typing import Any, Final

from sqlalchemy import text

from db.engine import Session
from db.tables import ReferralRow
from db.wakes import write_and_wake
from domain.lifecycle.signals import LOOK, Signal
from referrals.campaigns import limits_queue

RELEASED: Final = "tax/"
FREED: Final = "tax-freed/"
"""Prefixes of the wake-ups' event ids. A `/` is in no id of a caller."""

_WAKE_ALL: Final = text("""
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
_WAKE_NEXT: Final = text("""
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


async def wake_next(session: Session, leaving: ReferralRow) -> None:
    """Wake the longest waiting of each player of a referral that took a place, or left one."""
    values: dict[str, Any] = {
        "referral_id": leaving.id,
        "players": sorted({leaving.referrer_id, leaving.referee_id or leaving.referrer_id}),
        "event_id": FREED + await limits_queue.moves_of(session, leaving),
    }
    await write_and_wake(session, _WAKE_NEXT, values | _signal())


async def wake_released(session: Session, player_id: str, *, audit_id: int) -> None:
    """Wake all that wait under a player's threshold, which was released."""
    values = {"player_id": player_id, "event_id": f"{RELEASED}{audit_id}"}
    await write_and_wake(session, _WAKE_ALL, values | _signal())


def _signal() -> dict[str, object]:
    return {"kind": LOOK, "signal": Signal.LOOK.value}
