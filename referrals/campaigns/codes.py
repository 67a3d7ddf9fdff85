"""Referral codes: one per player and campaign, drawn or chosen."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert as plain_insert
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db import outbox
from db.engine import Session
from db.tables import Campaign, ReferralCode, Share
from domain.campaigns.terms import CampaignStatus
from domain.codes import drawn
from referrals.campaigns.offers import schedule_of

MAX_DRAWS: Final = 5
"""At 31^8 codes even two collisions in a row mean that something else is wrong."""


class Outcome(StrEnum):
    NEW = "new"
    KNOWN = "known"
    TAKEN = "taken"
    HAS_ANOTHER = "has_another"
    NOT_OPEN = "not_open"
    UNKNOWN_CAMPAIGN = "unknown_campaign"


@dataclass(frozen=True, slots=True)
class CodeResult:
    outcome: Outcome
    code: str | None = None


async def give(
    session: Session, *, player_id: str, campaign: str, vanity: str | None, at: datetime
) -> CodeResult:
    """The player's code in a campaign; `vanity` is normalised and well-formed."""
    row = await session.scalar(select(Campaign).where(Campaign.slug == campaign))
    if row is None:
        return CodeResult(Outcome.UNKNOWN_CAMPAIGN)
    known = await _of_player(session, player_id, row.id)
    if known is not None:
        return _compared(known, vanity)
    if row.status is CampaignStatus.DRAFT or schedule_of(row).has_ended(at):
        return CodeResult(Outcome.NOT_OPEN)
    return await _insert_code(session, player_id, row.id, vanity)


async def share(session: Session, *, code: str, channel: str, at: datetime) -> UUID | None:
    """Record that a code was shared, for the funnel; None for a code that nobody has."""
    query = select(Campaign.slug).join(ReferralCode, ReferralCode.campaign_id == Campaign.id)
    campaign = await session.scalar(query.where(ReferralCode.code == code))
    if campaign is None:
        return None
    share_id = uuid4()
    values = {"id": share_id, "code": code, "channel": channel, "shared_at": at}
    await session.execute(plain_insert(Share).values(values))
    payload = {
        "event_id": str(share_id),
        "type": "ShareRecorded",
        "schema_version": outbox.SCHEMA_VERSION,
        "occurred_at": at.isoformat(),
        "referral_id": None,
        "campaign": campaign,
        "stage": None,
        "code": code,
        "channel": channel,
    }
    await outbox.write_event(
        session, event_id=share_id, type_="ShareRecorded", key=code, payload=payload
    )
    return share_id


async def _of_player(session: Session, player_id: str, campaign_id: UUID) -> str | None:
    return await session.scalar(
        select(ReferralCode.code).where(
            ReferralCode.player_id == player_id, ReferralCode.campaign_id == campaign_id
        )
    )


async def _insert_code(
    session: Session, player_id: str, campaign_id: UUID, vanity: str | None
) -> CodeResult:
    for _ in range(MAX_DRAWS):
        code = vanity or drawn(secrets.token_bytes(16))
        values = {"code": code, "player_id": player_id, "campaign_id": campaign_id}
        added = await session.scalar(
            insert(ReferralCode)
            .values(values)
            .on_conflict_do_nothing()
            .returning(ReferralCode.code)
        )
        if added is not None:
            return CodeResult(Outcome.NEW, added)
        # Either the same player asked twice at once, or the code is somebody else's.
        known = await _of_player(session, player_id, campaign_id)
        if known is not None:
            return _compared(known, vanity)
        if vanity is not None:
            return CodeResult(Outcome.TAKEN)
    raise RuntimeError(f"{MAX_DRAWS} drawn codes in a row exist already")


def _compared(known: str, vanity: str | None) -> CodeResult:
    same = vanity is None or vanity == known
    return CodeResult(Outcome.KNOWN if same else Outcome.HAS_ANOTHER, known)
