"""Velocities: signups counted in windows that end with a referee's signup, by event time."""

import itertools
from datetime import datetime, timedelta
from statistics import mean, pstdev
from typing import Any, Final

from sqlalchemy import text

from db.engine import ReadSession
from domain.fraud.links import MAX_SHARERS
from domain.fraud.snapshot import Velocity

WINDOWS: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "30d": timedelta(days=30),
}
MAX_VALUES: Final = 5
"""Latest devices and networks of a referee that are counted."""
MAX_REFEREES: Final = 200
"""Latest referees of a referrer that are counted."""
MAX_SIGNUPS: Final = 1_001
"""Signups of a campaign that are counted in one window."""
SPACING_SIGNUPS: Final = 8
LEAST_SPACING_SIGNUPS: Final = 5

_SHARERS: Final = text("""
    select held.kind, array_agg(other.first_seen_at) as seen_at
    from unnest(array['device_id', 'network']) as wanted
    cross join lateral (
        select kind, value from identity_links
        where player_id = :referee and kind = wanted
        order by last_seen_at desc limit :max_values
    ) as held
    cross join lateral (
        select first_seen_at from identity_links as sharer
        where sharer.kind = held.kind and sharer.value = held.value limit :max_sharers + 1
    ) as other
    group by held.kind, held.value
""")
_REFEREES: Final = text("""
    select code, signed_up_at from referrals
    where referrer_id = :referrer and invited_at <= :invited_at
    order by invited_at desc limit :max_referees
""")
_CAMPAIGN: Final = text("""
    select place - 1 as place, (
        select count(*) from (
            select from referrals
            where campaign_id = :campaign_id and signed_up_at > begins and signed_up_at <= :at
            limit :max_signups
        ) as counted
    ) as signups
    from unnest(cast(:begins as timestamptz[])) with ordinality as windows (begins, place)
    order by place
""")


async def load_velocities(
    session: ReadSession, pair: dict[str, Any], *, at: datetime
) -> tuple[tuple[Velocity, ...], int | None]:
    """Return the velocities at a signup, and the variation of the referrer's spacing in per cent.

    A device or network that more players share than the cap is not counted.
    """
    seen = await _shared_values(session, pair)
    referees = [
        row
        for row in await session.execute(_REFEREES, pair | {"max_referees": MAX_REFEREES})
        if row.signed_up_at is not None and row.signed_up_at <= at
    ]
    moments = [row.signed_up_at for row in referees]
    seen["referrer"] = [moments]
    seen["code"] = [[row.signed_up_at for row in referees if row.code == pair["code"]]]
    counted = [
        Velocity(of=of, window=name, count=max(_count(each, at, span) for each in values))
        for of, values in seen.items()
        for name, span in WINDOWS.items()
    ]
    return (*counted, *await _campaign(session, pair, at=at)), spacing_variation(moments)


def spacing_variation(moments: list[datetime]) -> int | None:
    """Return the variation of the times between the latest signups in per cent of their mean."""
    latest = sorted(moments)[-SPACING_SIGNUPS:]
    if len(latest) < LEAST_SPACING_SIGNUPS:
        return None
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(latest)]
    average = mean(pauses)
    return round(100 * pstdev(pauses) / average) if average else 0


async def _shared_values(
    session: ReadSession, pair: dict[str, Any]
) -> dict[str, list[list[datetime]]]:
    values = pair | {"max_values": MAX_VALUES, "max_sharers": MAX_SHARERS}
    seen: dict[str, list[list[datetime]]] = {}
    for row in await session.execute(_SHARERS, values):
        if len(row.seen_at) <= MAX_SHARERS:
            name = "device" if row.kind == "device_id" else row.kind
            seen.setdefault(name, []).append(row.seen_at)
    return seen


async def _campaign(session: ReadSession, pair: dict[str, Any], *, at: datetime) -> list[Velocity]:
    values = pair | {
        "at": at,
        "begins": [at - span for span in WINDOWS.values()],
        "max_signups": MAX_SIGNUPS,
    }
    rows = await session.execute(_CAMPAIGN, values)
    return [
        Velocity(of="campaign", window=name, count=row.signups)
        for name, row in zip(WINDOWS, rows, strict=True)
    ]


def _count(moments: list[datetime], at: datetime, span: timedelta) -> int:
    return sum(at - span < moment <= at for moment in moments)
