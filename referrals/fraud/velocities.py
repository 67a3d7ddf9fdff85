"""Velocities: signups counted in windows that end with a referee's signup, by event time."""

import itertools
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import mean, pstdev
from typing import Any, Final

from sqlalchemy import Row

from domain.fraud.links import MAX_SHARERS
from domain.fraud.snapshot import Velocity
from referrals.fraud.link_values import sql_array

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

# Reads when others were first seen with the referee's latest devices and networks, when the
# referrer's latest referees signed up, and how many signed up to the campaign in each window.
VELOCITIES: Final = f"""
    select sharers.*, referees.*, campaign.*
    from (
        select array_agg(held.kind) as seen_kinds, array_agg(held.value) as seen_values,
               array_agg(other.first_seen_at) as seen_ats
        from unnest(array['device_id', 'network']) as wanted
        cross join lateral (
            select kind, value from identity_links
            where player_id = :referee and kind = wanted
            order by last_seen_at desc limit {MAX_VALUES}
        ) as held
        cross join lateral (
            select first_seen_at from identity_links as sharer
            where sharer.kind = held.kind and sharer.value = held.value limit {MAX_SHARERS + 1}
        ) as other
    ) as sharers, (
        select array_agg(code) as codes, array_agg(signed_up_at) as signed_up_ats from (
            select code, signed_up_at from referrals
            where referrer_id = :referrer and invited_at <= :invited_at
            order by invited_at desc limit {MAX_REFEREES}
        ) as latest
    ) as referees, (
        select array_agg(signups order by place) as signups from (
            select place, (
                select count(*) from (
                    select from referrals
                    where campaign_id = :campaign_id
                      and signed_up_at > cast(:signed_up_at as timestamptz) - cast(span as interval)
                      and signed_up_at <= cast(:signed_up_at as timestamptz)
                    limit {MAX_SIGNUPS}
                ) as counted
            ) as signups
            from unnest({sql_array(str(span.total_seconds()) + "s" for span in WINDOWS.values())})
                with ordinality as windows (span, place)
        ) as counts
    ) as campaign
"""  # noqa: S608 - made of constants of ours


def velocities_from(
    row: Row[Any], *, code: str, at: datetime
) -> tuple[tuple[Velocity, ...], int | None]:
    """Return the velocities at a signup, and the variation of the referrer's spacing in per cent.

    A device or network that more players share than the cap is not counted.
    """
    seen = _shared_values(row)
    signups = [
        (by, signed_up_at)
        for by, signed_up_at in zip(row.codes or (), row.signed_up_ats or (), strict=True)
        if signed_up_at is not None and signed_up_at <= at
    ]
    moments = [signed_up_at for _, signed_up_at in signups]
    seen["referrer"] = [moments]
    seen["code"] = [[signed_up_at for by, signed_up_at in signups if by == code]]
    counted = [
        Velocity(of=of, window=name, count=max(_count(each, at, span) for each in values))
        for of, values in seen.items()
        for name, span in WINDOWS.items()
    ]
    campaign = [
        Velocity(of="campaign", window=name, count=count)
        for name, count in zip(WINDOWS, row.signups, strict=True)
    ]
    return (*counted, *campaign), spacing_variation(moments)


def spacing_variation(moments: list[datetime]) -> int | None:
    """Return the variation of the times between the latest signups in per cent of their mean."""
    latest = sorted(moments)[-SPACING_SIGNUPS:]
    if len(latest) < LEAST_SPACING_SIGNUPS:
        return None
    pauses = [(after - before).total_seconds() for before, after in itertools.pairwise(latest)]
    average = mean(pauses)
    return round(100 * pstdev(pauses) / average) if average else 0


def _shared_values(row: Row[Any]) -> dict[str, list[list[datetime]]]:
    moments: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    columns = (row.seen_kinds or (), row.seen_values or (), row.seen_ats or ())
    for kind, value, seen_at in zip(*columns, strict=True):
        moments[kind, value].append(seen_at)
    seen: dict[str, list[list[datetime]]] = {}
    for (kind, _), each in moments.items():
        if len(each) <= MAX_SHARERS:
            seen.setdefault("device" if kind == "device_id" else kind, []).append(each)
    return seen


def _count(moments: list[datetime], at: datetime, span: timedelta) -> int:
    return sum(at - span < moment <= at for moment in moments)
