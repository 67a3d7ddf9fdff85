"""Re-keying of identity links, as facts bring the hashes of values under the newest key.

A value is hashed under the newest key, and its fact tells what the value's hashes under the earlier
keys are. Whoever shared one of these gets a link of the newest hash beside it, so that nothing that
linked players before a rotation is lost with the earlier key. Old links stay: processes that do not
know the newest key yet go on reading them.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession, Session
from domain.fraud.links import MAX_SHARERS
from referrals.fraud import clusters
from referrals.fraud.link_values import EARLIER_VALUES, UNCAPPED, WRITTEN_KINDS

MAX_UNCAPPED: Final = 1000
"""Sharers of an uncapped value that are re-keyed at once; others are when they report again."""

_RENAMED: Final = text(f"""
    select distinct renamed.kind, renamed.earlier, renamed.value
    from facts
    join unnest(cast(:fact_kinds as varchar[]), cast(:event_ids as varchar[]))
        as key (kind, event_id) using (kind, event_id)
    cross join lateral ({EARLIER_VALUES}) as renamed
    where exists (
        select from identity_links as link
        where link.kind = renamed.kind and link.value = renamed.earlier
    ) or exists (
        select from list_keys
        where list_keys.kind = renamed.kind and list_keys.value = renamed.earlier
    )
    order by 1, 2
""")  # noqa: S608 - made of a constant of ours

# One sharer more than the cap is enough to say that too many share a value. The player of the facts
# comes first, so that the first use of the value is kept, and then strong ones by age.
_REKEY_LINKS: Final = text("""
    insert into identity_links (kind, value, player_id, is_strong, first_seen_at, last_seen_at)
    select kind, value, player_id, bool_or(is_strong), min(first_seen_at), max(last_seen_at)
    from (
        select renamed.kind, renamed.value, sharer.*
        from unnest(
            cast(:kinds as varchar[]), cast(:earlier as text[]), cast(:values as text[])
        ) as renamed (kind, earlier, value)
        cross join lateral (
            select player_id, is_strong, first_seen_at, last_seen_at from identity_links as link
            where link.kind = renamed.kind and link.value = renamed.earlier
            order by player_id <> :player_id, not is_strong, first_seen_at, player_id
            limit case when renamed.kind = any(:uncapped) then :max_uncapped
                       else :max_sharers + 1 end
        ) as sharer
    ) as links
    group by kind, value, player_id
    order by kind, value, player_id
    on conflict do nothing
""")
_REKEY_LISTS: Final = text("""
    insert into list_keys (entry_id, kind, value)
    select distinct entry_id, renamed.kind, renamed.value
    from unnest(cast(:kinds as varchar[]), cast(:earlier as text[]), cast(:values as text[]))
        as renamed (kind, earlier, value)
    join list_keys on list_keys.kind = renamed.kind and list_keys.value = renamed.earlier
    order by 1, 2, 3
    on conflict do nothing
""")


_VERSIONS: Final = text("""
    select split_part(value, ':', 1) as name, count(*) as values, max(last_seen_at) as last_used_at
    from identity_links group by 1 order by length(split_part(value, ':', 1)), 1
""")


async def rekey_values(
    session: Session,
    player_id: str,
    keys: Sequence[tuple[str, str]],
    *,
    said: AbstractSet[tuple[str, str]],
) -> None:
    """Give the sharers and lists of a locked player's reported values the newest hashes.

    `keys` are kind and event id of the facts, `said` kind and hash of all their values, which are
    locked until the transaction ends.
    """
    reported = {
        "fact_kinds": [kind for kind, _ in keys],
        "event_ids": [event_id for _, event_id in keys],
        "kinds": WRITTEN_KINDS,
    }
    renamed = (await session.execute(_RENAMED, reported)).all()
    if not renamed:
        return
    # All at once, those that the writing of links locks afterwards among them.
    await clusters.lock_values(session, said | {(row.kind, row.earlier) for row in renamed})
    columns = {
        "kinds": [row.kind for row in renamed],
        "earlier": [row.earlier for row in renamed],
        "values": [row.value for row in renamed],
    }
    bounds = {
        "player_id": player_id,
        "uncapped": UNCAPPED,
        "max_uncapped": MAX_UNCAPPED,
        "max_sharers": MAX_SHARERS,
    }
    await session.execute(_REKEY_LINKS, columns | bounds)
    await session.execute(_REKEY_LISTS, columns)


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """Identity links whose values are hashed under one key."""

    name: str
    """The prefix of its hashes, such as hm2."""
    values: int
    last_used_at: datetime


async def count_versions(session: ReadSession) -> list[KeyVersion]:
    """Return the versions of hash keys in identity links; reads all of them."""
    return [KeyVersion(*row) for row in await session.execute(_VERSIONS)]
