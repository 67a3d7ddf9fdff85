"""Waking of referrals that wait for a limit or a yearly threshold, the longest waiting first."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import Session
from db.tables import ReferralRow
from db.wakes import write_and_wake
from domain.campaigns.limits.decision import LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import RewardType
from domain.rewards.holds import HoldReason
from referrals.campaigns.limits import own_minor_sql
from referrals.campaigns.places.passing_on import (
    MAX_TRIED,
    Need,
    Wait,
    cause_of,
    look_signal,
    moves_of,
    values_of,
    wake_next_sql,
)

FREED: Final = "limit/"
ENDED: Final = "limit-end/"
TAX_RELEASED: Final = "tax/"
TAX_FREED: Final = "tax-freed/"
"""Prefixes of the wake-ups' event ids. A `/` is in no id of a caller."""
WHOLE_CAMPAIGN: Final = [f"{of}_{Per.CAMPAIGN}" for of in LimitOf]
"""Names of the limits that last until the campaign's end."""

# Each waits for the one limit that its hold names, which it exceeds: until that has room, another
# limit's room is of no use to it.
_WAITING_OF: Final = {
    LimitOf.CAMPAIGN: "h.detail[1] not like 'referrer%'",
    LimitOf.REFERRER: "h.detail[1] like 'referrer%' and r.referrer_id = :referrer_id",
}


# Those with a timer, which are DEFERRED, look by themselves when their period ends.
_HAS_ENDED: Final = """
    (cast(:ended_by as timestamptz) is null or h.until <= :ended_by and r.stage <> 'DEFERRED')
"""


def _first_sql(of: LimitOf) -> str:
    return f"""
        select h.referral_id from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'limit' and h.cleared_at is null
           and r.campaign_id = :campaign_id and r.id <> :referral_id and {_WAITING_OF[of]}
           and {_HAS_ENDED}
         order by h.since, h.referral_id limit 1
    """


_WAKE_FIRST: Final = text(f"""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select referral_id, :kind, :event_id, :signal from (
            ({_first_sql(LimitOf.CAMPAIGN)}) union all ({_first_sql(LimitOf.REFERRER)})
        ) as first
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")


_WAKE_NEXT: Final = {
    of: text(
        wake_next_sql(
            HoldReason.LIMIT,
            condition=f"r.campaign_id = :campaign_id and {condition}",
            is_alike="""(:waits_on and r.stage = 'DEFERRED'
                and h.detail[1] = :waits_for and r.campaign_version_id = :version_id)""",
            need_minor=own_minor_sql("w.amount_minor"),
        )
    )
    for of, condition in _WAITING_OF.items()
}
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
# The one that waits longest for each player of a pair. The hold's detail is the side whose player
# is over the threshold.
_WAKE_FIRST_TAXED: Final = text(f"""
    with waiting as (
        select h.referral_id, h.since,
               case h.detail[1] when 'referee' then r.referee_id else r.referrer_id end as player_id
          from holds h join referrals r on r.id = h.referral_id
         where h.reason = 'tax' and h.cleared_at is null and r.id <> :referral_id
           and (r.referrer_id = any(:players) or r.referee_id = any(:players))
           and {_HAS_ENDED}
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
_WAKE_NEXT_TAXED: Final = text(
    wake_next_sql(
        HoldReason.TAX,
        condition="""(r.referrer_id = :player_id or r.referee_id = :player_id)
            and :player_id = case h.detail[1] when 'referee' then r.referee_id
                                              else r.referrer_id end""",
        is_alike="""(:waits_on and r.stage = 'DEFERRED' and :currency = (
                select w.currency from rewards w where w.referral_id = r.id limit 1))""",
        need_minor="w.amount_minor",
    )
)


async def wake_first(
    session: Session, leaving: ReferralRow, *, ended_by: datetime | None = None
) -> None:
    """Wake the longest waiting for the place that a referral left, and let each wake the next.

    With `ended_by` only a reinstatement or a rise that waited for a period which ended by then.
    """
    values = {
        "campaign_id": leaving.campaign_id,
        "referral_id": leaving.id,
        "referrer_id": leaving.referrer_id,
        "event_id": FREED + await moves_of(session, leaving),
        "ended_by": ended_by,
    }
    await write_and_wake(session, _WAKE_FIRST, values | look_signal())


async def wake_next(
    session: Session,
    leaving: ReferralRow,
    wait: Wait,
    need: Need | None,
    *,
    at: datetime,
    max_tried: int = MAX_TRIED,
) -> None:
    """Wake the next behind a referral that waited for a limit; with a `need` it waits on for it.

    Compares at most `max_tried` of them with the need.
    """
    is_of_referrer = wait.waits_for.startswith(LimitOf.REFERRER)
    of = LimitOf.REFERRER if is_of_referrer else LimitOf.CAMPAIGN
    values: dict[str, Any] = {
        "campaign_id": leaving.campaign_id,
        "version_id": leaving.campaign_version_id,
        "side": of.value if is_of_referrer else None,
        "player_id": None,
        "max_tried": max_tried,
    }
    if is_of_referrer:
        values["referrer_id"] = leaving.referrer_id
    event_id = await cause_of(session, leaving, FREED, is_new=need is None, at=at)
    if event_id is not None:
        await write_and_wake(
            session, _WAKE_NEXT[of], values | values_of(leaving, wait, need, event_id)
        )


async def wake_for_end(session: Session, campaign_id: UUID, *, audit_id: int) -> None:
    """Wake those that wait for a limit of the whole campaign, as its end has come or was moved."""
    values = {
        "campaign_id": campaign_id,
        "names": WHOLE_CAMPAIGN,
        "event_id": f"{ENDED}{audit_id}",
    }
    await write_and_wake(session, _WAKE_ALL, values | look_signal())


async def wake_first_taxed(
    session: Session, leaving: ReferralRow, *, ended_by: datetime | None = None
) -> None:
    """Wake the longest waiting of each player of a referral that left its place.

    With `ended_by` only what waited for a year which ended by then, as `wake_first`.
    """
    values: dict[str, Any] = {
        "referral_id": leaving.id,
        "players": sorted({leaving.referrer_id, leaving.referee_id or leaving.referrer_id}),
        "event_id": TAX_FREED + await moves_of(session, leaving),
        "ended_by": ended_by,
    }
    await write_and_wake(session, _WAKE_FIRST_TAXED, values | look_signal())


async def wake_next_taxed(
    session: Session, leaving: ReferralRow, wait: Wait, need: Need | None, *, at: datetime
) -> None:
    """Wake the next behind a referral that waited for a player's yearly threshold."""
    values: dict[str, Any] = {
        "side": None,
        "player_id": player_of(leaving, wait),
        "max_tried": MAX_TRIED,
    }
    event_id = await cause_of(session, leaving, TAX_FREED, is_new=need is None, at=at)
    if event_id is not None:
        await write_and_wake(
            session, _WAKE_NEXT_TAXED, values | values_of(leaving, wait, need, event_id)
        )


def player_of(referral: ReferralRow, wait: Wait) -> str:
    """Return the player whose threshold a referral waits for."""
    is_referee = wait.waits_for == RewardType.REFEREE
    return (referral.referee_id if is_referee else None) or referral.referrer_id


async def wake_released(session: Session, player_id: str, *, audit_id: int) -> None:
    """Wake all that wait under a player's threshold, which was released."""
    values = {"player_id": player_id, "event_id": f"{TAX_RELEASED}{audit_id}"}
    await write_and_wake(session, _WAKE_RELEASED, values | look_signal())
