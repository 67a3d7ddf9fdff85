"""Search by whatever one pastes: a player, code, link, referral, deposit, reward or case."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select

from db.engine import ReadSession
from db.tables import (
    ApiKey,
    Campaign,
    CaseRow,
    FactRow,
    Player,
    ReferralCode,
    ReferralRow,
    Reward,
    TransferRow,
)
from domain.codes import code_in_path
from domain.intake.facts import FactKind
from domain.intake.sources import (
    DEFAULT_SOURCE,
    shown_event_id,
    source_of,
    stored_event_id,
)
from domain.lifecycle.referral import Stage

MAX_FOUND: Final = 20
BEGINNING_OF_ID: Final = re.compile(r"[0-9a-fA-F]{8}")
"""The part of an id that the console shows in its tables."""
QUERY_OF_LINK: Final = re.compile("[?#]")
"""Hits of each kind; whoever pastes an id means one."""
_DEPOSIT_KINDS: Final = (FactKind.DEPOSIT, FactKind.CHARGEBACK)


class HitKind(StrEnum):
    """Kinds of things that are found."""

    PLAYER = "player"
    CODE = "code"
    REFERRAL = "referral"
    DEPOSIT = "deposit"
    EVENT = "event"
    REWARD = "reward"
    TRANSFER = "transfer"
    CASE = "case"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    kind: HitKind
    id: str
    referral_id: UUID | None = None
    """The referral that it belongs to, if there is one."""
    reward_id: UUID | None = None
    stage: Stage | None = None
    text: str = ""


async def search(
    session: ReadSession, pasted: str, *, topic_sources: Iterable[str] = ()
) -> Sequence[Hit]:
    """Return everything that has this id, the most exact first.

    An event is found by its reporter's id among the sources of keys and of topics.
    """
    text = pasted.strip()
    if not text or "\x00" in text:
        return []
    found: list[Hit] = []
    if (ids := _ids_meant(text)) is not None:
        found += await _by_id(session, *ids)
    found += await _facts(session, text, await _sources(session, topic_sources))
    found += await _players(session, text)
    found += await _codes(session, text)
    slugs = await session.scalars(select(Campaign.slug).where(Campaign.slug == text.lower()))
    return [*found, *(Hit(kind=HitKind.CAMPAIGN, id=slug) for slug in slugs)]


async def _by_id(session: ReadSession, first: UUID, last: UUID) -> list[Hit]:
    """Find what has an id from the first one to the last."""
    found: list[Hit] = []
    for table, hit_of in _HITS_BY_ID.items():
        query = select(table).where(table.id.between(first, last)).limit(MAX_FOUND)
        found += map(hit_of, await session.scalars(query))
    return found


def _reward_hit(row: Reward) -> Hit:
    return Hit(
        kind=HitKind.REWARD,
        id=str(row.id),
        referral_id=row.referral_id,
        reward_id=row.id,
        text=f"{row.status} for {row.player_id}",
    )


def _case_hit(row: CaseRow) -> Hit:
    return Hit(kind=HitKind.CASE, id=str(row.id), text=row.status)


def _transfer_hit(row: TransferRow) -> Hit:
    return Hit(
        kind=HitKind.TRANSFER,
        id=str(row.id),
        referral_id=row.referral_id,
        reward_id=row.reward_id,
        text=row.movement,
    )


async def _sources(session: ReadSession, topic_sources: Iterable[str]) -> set[str]:
    of_keys = select(ApiKey.source).where(ApiKey.source.is_not(None)).distinct()
    named = [source for source in await session.scalars(of_keys) if source]
    return {DEFAULT_SOURCE, *named, *topic_sources}


async def _facts(session: ReadSession, text: str, sources: Iterable[str]) -> list[Hit]:
    """Find deposits by their id, and events by theirs."""
    is_deposit = FactRow.kind.in_(_DEPOSIT_KINDS) & (FactRow.body["deposit_id"].astext == text)
    deposits = await session.scalars(select(FactRow).where(is_deposit).limit(MAX_FOUND))
    stored = [stored_event_id(source, text) for source in sources]
    is_event = FactRow.kind.in_(list(FactKind)) & FactRow.event_id.in_(stored)
    events = await session.scalars(select(FactRow).where(is_event).limit(MAX_FOUND))
    rows = [(HitKind.DEPOSIT, row) for row in deposits]
    rows += [(HitKind.EVENT, row) for row in events]
    referral_ids = await _referrals_of(session, [row.player_id for _, row in rows])
    return [
        Hit(
            kind=kind,
            id=text,
            referral_id=referral_ids.get(row.player_id),
            text=f"{row.kind} {shown_event_id(row.event_id)} of {row.player_id}{_from(row)}",
        )
        for kind, row in rows
    ]


def _from(row: FactRow) -> str:
    source = source_of(row.event_id)
    return "" if source == DEFAULT_SOURCE else f", from {source}"


async def _referrals_of(session: ReadSession, referee_ids: Sequence[str]) -> dict[str, UUID]:
    rows = await session.execute(
        select(ReferralRow.referee_id, ReferralRow.id).where(
            ReferralRow.referee_id.in_(referee_ids), ReferralRow.stage != Stage.LOST
        )
    )
    return {row.referee_id: row.id for row in rows if row.referee_id is not None}


async def _players(session: ReadSession, text: str) -> list[Hit]:
    """Find a player, with the referrals on either side, newest first."""
    is_side = or_(ReferralRow.referrer_id == text, ReferralRow.referee_id == text)
    order = (ReferralRow.invited_at.desc(), ReferralRow.id)
    query = select(ReferralRow).where(is_side).order_by(*order).limit(MAX_FOUND)
    referrals = (await session.scalars(query)).all()
    if not referrals and await session.get(Player, text) is None:
        return []
    return [Hit(kind=HitKind.PLAYER, id=text), *map(_referral_hit, referrals)]


async def _codes(session: ReadSession, text: str) -> list[Hit]:
    """Find a code as people type it, or the link that ends with it."""
    path = QUERY_OF_LINK.split(text, maxsplit=1)[0].rstrip("/")
    code = code_in_path(path.rpartition("/")[2])
    row = await session.scalar(select(ReferralCode).where(ReferralCode.code == code))
    if row is None:
        return []
    query = select(ReferralRow).where(ReferralRow.code == code)
    newest = query.order_by(ReferralRow.invited_at.desc()).limit(MAX_FOUND)
    hit = Hit(kind=HitKind.CODE, id=code, text=f"of {row.player_id}")
    return [hit, *map(_referral_hit, await session.scalars(newest))]


def _referral_hit(row: ReferralRow) -> Hit:
    pair = f"{row.referrer_id} brought {row.referee_id or 'nobody yet'}"
    return Hit(
        kind=HitKind.REFERRAL,
        id=str(row.id),
        referral_id=row.id,
        stage=row.stage,
        text=f"{pair} under {row.campaign_slug}",
    )


_HITS_BY_ID: Final[Mapping[Any, Callable[[Any], Hit]]] = {
    ReferralRow: _referral_hit,
    Reward: _reward_hit,
    CaseRow: _case_hit,
    TransferRow: _transfer_hit,
}


def _ids_meant(text: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that a whole id, or its beginning, may mean."""
    text = text.removeprefix("referral:")
    if BEGINNING_OF_ID.fullmatch(text):
        return UUID(f"{text}{'0' * 24}"), UUID(f"{text}{'f' * 24}")
    try:
        return UUID(text), UUID(text)
    except ValueError:
        return None
