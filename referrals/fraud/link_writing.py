"""Writing of identity links, when a player's facts are routed."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, text

from db.engine import Session
from domain.fraud.links import LinkKind
from domain.intake.facts import Fact, kind_of
from referrals.fraud import clusters, rekeying
from referrals.fraud.clusters import NewValue
from referrals.fraud.link_values import (
    CARRYING_FACTS,
    HARD,
    JOINING_KINDS,
    SAID_VALUES,
    STRONG,
    WRITTEN_KINDS,
)

REFRESH_AFTER: Final = timedelta(minutes=10)
"""Age of a link's last use that is worth a write."""

# Compares values that are reported with what is known of them, by one step into the index for each
# value: a join would be planned for far more of them, and read all links.
COMPARED: Final = """
    select reported.*, known.player_id is null as is_new,
           reported.is_strong and not coalesce(known.is_strong, false) as is_newly_strong,
           known.player_id is null
           or reported.is_strong and not known.is_strong
           or reported.first_seen_at < known.first_seen_at
           or reported.last_seen_at > known.last_seen_at + cast(:refresh_after as interval)
           as is_worth_writing
    from reported left join lateral (
        select * from identity_links as link
         where link.kind = reported.kind and link.value = reported.value
           and link.player_id = reported.player_id
         limit 1
    ) as known on true
    order by reported.kind, reported.value
"""
# Reads the values of some facts, and what is known of them already. A deposit names no platform:
# its device is as strong as the one that the player signed up with.
_SAID: Final = text(f"""
    with app as (
        select exists (
            select from facts where player_id = :player_id and kind = 'signup'
              and lower(body ->> 'platform') = any(:strong)
        ) as is_strong
    ), reported as (
        select cast(:player_id as varchar) as player_id, said.kind, said.value,
               bool_or(said.kind = any(:hard) or (said.kind = 'device_id' and app.is_strong))
                   as is_strong,
               min(facts.occurred_at) as first_seen_at, max(facts.occurred_at) as last_seen_at,
               bool_or(coalesce(facts.matching, '{{}}') ? 'earlier') as has_earlier
        from facts
        join unnest(cast(:fact_kinds as varchar[]), cast(:event_ids as varchar[]))
            as key (kind, event_id) using (kind, event_id)
        cross join app cross join lateral ({SAID_VALUES}) as said
        group by said.kind, said.value
    )
    {COMPARED}
""")  # noqa: S608 - made of constants of ours

_WRITE: Final = text("""
    insert into identity_links (kind, value, player_id, is_strong, first_seen_at, last_seen_at)
    select kind, value, player_id, is_strong, first_seen_at, last_seen_at
    from unnest(
        cast(:kinds as varchar[]), cast(:values as text[]), cast(:player_ids as varchar[]),
        cast(:are_strong as boolean[]),
        cast(:first as timestamptz[]), cast(:last as timestamptz[])
    ) as new (kind, value, player_id, is_strong, first_seen_at, last_seen_at)
    order by kind, value, player_id
    on conflict (kind, value, player_id) do update set
        is_strong = identity_links.is_strong or excluded.is_strong,
        first_seen_at = least(identity_links.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(identity_links.last_seen_at, excluded.last_seen_at)
""")


async def record_links(session: Session, player_id: str, reported: Sequence[Fact]) -> None:
    """Record the values of a locked player's facts, and join the players whom hard links join.

    Costs one statement where nothing is new, and none for facts that hold no value, such as wagers.
    """
    keys = [(kind_of(fact), fact.event_id) for fact in reported if kind_of(fact) in CARRYING_FACTS]
    if not keys:
        return
    said = await _said(session, player_id, keys)
    if any(row.has_earlier for row in said):
        await rekeying.rekey_values(session, player_id, keys, said=_values(said))
        said = await _said(session, player_id, keys)
    joining = joining_values(said)
    if joining:
        await clusters.lock_values(session, [(one.kind, one.value) for one in joining])
    await write_links(session, said)
    if joining:
        await clusters.join_players(session, player_id, joining)


def joining_values(said: Iterable[Row[Any]]) -> list[NewValue]:
    """Return those of compared values that can join players, and are new or newly strong."""
    return [
        NewValue(kind=LinkKind(row.kind), value=row.value, is_strong=row.is_strong)
        for row in said
        if row.kind in JOINING_KINDS and (row.is_new or row.is_newly_strong)
    ]


def _values(said: Sequence[Row[Any]]) -> set[tuple[str, str]]:
    return {(row.kind, row.value) for row in said}


async def _said(
    session: Session, player_id: str, keys: Sequence[tuple[str, str]]
) -> Sequence[Row[Any]]:
    values = {
        "player_id": player_id,
        "fact_kinds": [kind for kind, _ in keys],
        "event_ids": [event_id for _, event_id in keys],
        "kinds": WRITTEN_KINDS,
        "hard": HARD,
        "strong": STRONG,
        "refresh_after": REFRESH_AFTER,
    }
    return (await session.execute(_SAID, values)).all()


async def write_links(session: Session, compared: Iterable[Row[Any]]) -> None:
    """Write those of compared values, of locked players, that are worth it."""
    rows = [row for row in compared if row.is_worth_writing]
    if not rows:
        return
    values = {
        "kinds": [row.kind for row in rows],
        "values": [row.value for row in rows],
        "player_ids": [row.player_id for row in rows],
        "are_strong": [row.is_strong for row in rows],
        "first": [row.first_seen_at for row in rows],
        "last": [row.last_seen_at for row in rows],
    }
    await session.execute(_WRITE, values)
