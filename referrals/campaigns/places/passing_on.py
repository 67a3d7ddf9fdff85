"""The next behind a referral that waits for a place, and by what event it is woken."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.campaigns.limits.decision import Used
from domain.lifecycle.signals import LOOK, Signal
from domain.money import LARGEST_MINOR
from domain.rewards.holds import HoldReason

MAX_TRIED: Final = 500
"""Referrals that one act compares with the need of the one before them; who is further behind is
reached by waking the last of them."""
_CAUSE_OF_WAKING: Final = text("""
    select event_id from deliveries
     where referral_id = :referral_id and kind = :kind and event_id like :prefix
     order by id desc limit 1
""")
_WAITS: Final = text("""
    select reason, since, detail[1] as waits_for from holds where referral_id = :referral_id
       and reason in ('limit', 'tax') and cleared_at is null
""")
_CYCLES: Final = text("""
    select coalesce(sum(cycle), 0) from rewards where referral_id = :referral_id
""")


@dataclass(frozen=True, slots=True)
class Wait:
    """A referral's wait for a place."""

    since: datetime
    waits_for: str
    """Name of the limit, or side of the player whose yearly threshold it is."""


@dataclass(frozen=True, slots=True)
class Need:
    """A need that exceeds what a referral waits for."""

    used: Used
    currency: str | None
    """Currency of the amount; None where only rewards are counted."""


async def waits_of(session: ReadSession, referral_id: UUID) -> Mapping[HoldReason, Wait]:
    """Return the places that a locked referral waits for: under a limit, or a yearly threshold."""
    rows = await session.execute(_WAITS, {"referral_id": referral_id})
    return {HoldReason(row.reason): Wait(row.since, row.waits_for) for row in rows}


def wake_next_sql(reason: HoldReason, *, condition: str, is_alike: str, need_minor: str) -> str:
    """Return the SQL that wakes the next behind a referral, once for each cause.

    Where that one waits on, those that are alike and need no less are passed over: they cannot fit
    either, nor keep anybody behind them waiting. Nobody who waits longer is woken, so that each
    chain ends.
    """
    return f"""
        with behind as materialized (
            select h.referral_id, h.since, {is_alike} as is_alike
              from holds h join referrals r on r.id = h.referral_id
             where h.reason = '{reason.value}' and h.cleared_at is null and {condition}
               and (h.since, h.referral_id) > (:since, :referral_id)
               and not ({is_alike} and :is_least)
               and not exists (
                    select from deliveries d
                     where d.referral_id = h.referral_id
                       and d.kind = :kind and d.event_id = :event_id)
             order by h.since, h.referral_id
             limit :max_tried
        ), placed as (
            select *, row_number() over (order by since, referral_id) as place from behind
        ), woken as (
            insert into deliveries (referral_id, kind, event_id, signal)
            select referral_id, :kind, :event_id, :signal from (
                select b.referral_id from placed b
                 where not b.is_alike or b.place = :max_tried or exists (
                        select from (
                            select count(*) as rewards, coalesce(sum({need_minor}), 0) as minor
                              from rewards w
                             where w.referral_id = b.referral_id
                               and (cast(:side as text) is null or w.reward_type = :side)
                               and (cast(:player_id as text) is null or w.player_id = :player_id)
                        ) as need
                        where need.rewards < :rewards or need.minor < cast(:minor as bigint))
                 order by b.since, b.referral_id limit 1
            ) as next
            on conflict do nothing
            returning id
        )
        select id from woken limit 1
    """


async def moves_of(session: ReadSession, leaving: ReferralRow) -> str:
    """Return a name of a referral's present move, which no other one of it has."""
    cycles = await session.scalar(_CYCLES, {"referral_id": leaving.id})
    return f"{leaving.id}/{leaving.steps}/{cycles}"


async def cause_of(
    session: ReadSession, leaving: ReferralRow, prefix: str, *, is_new: bool, at: datetime
) -> str | None:
    """Return the event id by which the next is woken; None for one that waits on, woken by nothing.

    What waits on passes on what woke it. What stops waiting is news to all behind it.
    """
    if is_new:
        moves = await moves_of(session, leaving)
        return f"{prefix}{moves}/{at.timestamp() * 1000:.0f}"
    values = {"referral_id": leaving.id, "kind": LOOK, "prefix": f"{prefix}%"}
    return cast("str | None", await session.scalar(_CAUSE_OF_WAKING, values))


def values_of(leaving: ReferralRow, wait: Wait, need: Need | None, event_id: str) -> dict[str, Any]:
    currency = need.currency if need else None
    return look_signal() | {
        "referral_id": leaving.id,
        "since": wait.since,
        "waits_for": wait.waits_for,
        "waits_on": need is not None,
        "rewards": need.used.rewards if need else 0,
        "minor": min(need.used.minor, LARGEST_MINOR) if need and currency else 0,
        "currency": currency,
        "is_least": need is not None and currency is None and need.used.rewards <= 1,
        "event_id": event_id,
    }


def look_signal() -> dict[str, object]:
    return {
        "kind": LOOK,
        "signal": Signal.LOOK.value,
    }
