"""Lists of values that fraud rules look at: entries added and removed, and their hits."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, or_, select, text, update

from db.engine import ReadSession, Session
from db.locks import lock_key
from db.tables import ListEntryRow
from domain.fraud.lists import ListedKind, ListHit, ListHits, ListName, Role
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.link_values import EARLIER_VALUES, SAID_VALUES, WRITTEN_KINDS

# Keys of an entry, in one statement: a wide network has thousands.
_ADD_KEYS: Final = text("""
    insert into list_keys (entry_id, kind, value)
    select :entry_id, * from unnest(cast(:kinds as varchar[]), cast(:values as varchar[]))
""")

# Entries in force whose keys are among the values of a referral's two players.
# Values of facts that wait for the router count as well, as those that an act has just recorded.
HITS: Final = f"""
    select distinct entries.list_name, entries.id as entry_id, entries.kind, links.player_id
    from (
        select player_id, kind, value from identity_links
        where player_id in (:referrer, :referee)
        union all
        select inbox.player_id, said.kind, said.value
        from inbox join facts using (kind, event_id)
        cross join lateral (
            {SAID_VALUES} union select kind, earlier from ({EARLIER_VALUES}) as renamed
        ) as said
        where inbox.player_id in (:referrer, :referee)
        union all
        values (cast(:referrer as varchar), 'player', cast(:referrer as varchar)),
               (cast(:referee as varchar), 'player', cast(:referee as varchar))
    ) as links
    join list_keys using (kind, value)
    join list_entries as entries on entries.id = list_keys.entry_id
    where entries.removed_at is null
      and (entries.expires_at is null or entries.expires_at > cast(:at as timestamptz))
"""  # noqa: S608 - made of constants of ours
_HITS: Final = text(HITS)

# In the order of their keys, so that two scorings wait for each other in one order.
_RECORD_HITS: Final = text("""
    insert into list_hits (entry_id, referral_id, hit_at)
    select entry_id, :referral_id, :at from unnest(cast(:entry_ids as uuid[])) as entry_id
    order by entry_id
    on conflict do nothing
""")


class AddOutcome(StrEnum):
    """The outcome of adding a value to a list."""

    ADDED = "added"
    SAME = "same"
    LISTED_OTHERWISE = "listed_otherwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A value to be listed, hashed where it is personal, with the stored values it matches."""

    list_name: ListName
    kind: ListedKind
    value: str
    earlier_values: tuple[str, ...] = ()
    """The value hashed under each earlier key, by which an older entry is found."""
    keys: Collection[tuple[str, str]]
    """Kind and value of each identity link that the entry hits."""
    expires_at: datetime | None


async def add(session: Session, entry: NewEntry, actor: Actor) -> tuple[AddOutcome, UUID]:
    """Put a value on a list from now on; return the outcome, and the id of the entry in force.

    A value is on a list once: with the same reason and end it is SAME, else LISTED_OTHERWISE.
    """
    await lock_key(session, f"list:{entry.list_name}:{entry.kind}:{entry.value}")
    known = await _find_in_force(session, entry)
    if known is not None:
        is_same = (known.reason, known.expires_at) == (actor.reason, entry.expires_at)
        return AddOutcome.SAME if is_same else AddOutcome.LISTED_OTHERWISE, known.id
    entry_id = uuid4()
    values = {
        "id": entry_id,
        "list_name": entry.list_name,
        "kind": entry.kind,
        "value": entry.value,
        "reason": actor.reason,
        "added_by": actor.name,
        "expires_at": entry.expires_at,
    }
    await session.execute(insert(ListEntryRow).values(values))
    kinds, keys = zip(*sorted(set(entry.keys)), strict=True)
    added = {"entry_id": entry_id, "kinds": list(kinds), "values": list(keys)}
    await session.execute(_ADD_KEYS, added)
    await _audit(session, actor, entry_id, "add", list=entry.list_name, kind=entry.kind)
    return AddOutcome.ADDED, entry_id


async def add_for_good(session: Session, entry: NewEntry, actor: Actor) -> None:
    """Put a value on a list without an end, in place of an entry that would end."""
    outcome, entry_id = await add(session, entry, actor)
    if outcome is AddOutcome.LISTED_OTHERWISE:
        known = await session.get_one(ListEntryRow, entry_id)
        if known.expires_at is not None and await remove(session, entry.list_name, entry_id, actor):
            await add(session, entry, actor)


async def remove(session: Session, list_name: ListName, entry_id: UUID, actor: Actor) -> bool:
    """Take an entry off its list from now on; return whether it was on it."""
    removed = await session.scalar(
        update(ListEntryRow)
        .where(
            ListEntryRow.id == entry_id,
            ListEntryRow.list_name == list_name,
            ListEntryRow.removed_at.is_(None),
        )
        .values(removed_at=func.now(), removed_by=actor.name)
        .returning(ListEntryRow.id)
    )
    if removed is not None:
        await _audit(session, actor, entry_id, "remove", list=list_name)
    return removed is not None


async def load_hits(
    session: ReadSession, *, referrer_id: str, referee_id: str, at: datetime
) -> ListHits:
    """Return the entries in force that the two players' recorded values hit."""
    pair = {"referrer": referrer_id, "referee": referee_id, "at": at, "kinds": WRITTEN_KINDS}
    rows = (await session.execute(_HITS, pair)).mappings()
    return hits_from(rows, referee_id=referee_id)


def hits_from(rows: Iterable[Mapping[Any, Any]], *, referee_id: str) -> ListHits:
    """Return the hits of rows of HITS, which may have been JSON."""
    return ListHits.of(
        ListHit(
            list_name=ListName(row["list_name"]),
            entry_id=UUID(str(row["entry_id"])),
            kind=ListedKind(row["kind"]),
            role=Role.REFEREE if row["player_id"] == referee_id else Role.REFERRER,
        )
        for row in rows
    )


async def record_hits(
    session: Session, found: ListHits, *, referral_id: UUID, at: datetime
) -> None:
    """Count a referral as a hit of each entry, once however often it is scored."""
    if found.hits:
        entry_ids = list({hit.entry_id for hit in found.hits})
        values = {"entry_ids": entry_ids, "referral_id": referral_id, "at": at}
        await session.execute(_RECORD_HITS, values)


async def _find_in_force(session: ReadSession, entry: NewEntry) -> ListEntryRow | None:
    in_force = or_(ListEntryRow.expires_at.is_(None), ListEntryRow.expires_at > func.now())
    query = select(ListEntryRow).where(
        ListEntryRow.list_name == entry.list_name,
        ListEntryRow.kind == entry.kind,
        ListEntryRow.value.in_((entry.value, *entry.earlier_values)),
        ListEntryRow.removed_at.is_(None),
        in_force,
    )
    return await session.scalar(query)


async def _audit(
    session: Session,
    actor: Actor,
    entry_id: UUID,
    action: str,
    **details: Any,  # noqa: ANN401 - any JSON values
) -> None:
    await audit.write(
        session, actor, action=f"list.{action}", subject=f"list-entry:{entry_id}", details=details
    )
