"""Referral codes: one per player and campaign, drawn or chosen."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from db import outbox
from db.engine import Session
from db.tables import Campaign, CampaignVersion, ReferralCode, Share
from domain.campaigns.terms import CampaignStatus, LinkOptions
from domain.codes import code_from_bytes
from domain.profanities import is_profane
from referrals.campaigns.acceptances import acceptance
from referrals.campaigns.offers import IS_SWITCHED_OFF, schedule_of
from referrals.campaigns.versions import IS_CURRENT_VERSION, link_from, options_from

MAX_DRAWS: Final = 5
"""Codes drawn before giving up: among 31^8, even two collisions in a row mean another fault."""


class CodeOutcome(StrEnum):
    """The outcome of asking for a player's code."""

    NEW = "new"
    KNOWN = "known"
    TAKEN = "taken"
    HAS_ANOTHER = "has_another"
    NOT_OPEN = "not_open"
    SWITCHED_OFF = "switched_off"
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    NOT_IN_AUDIENCE = "not_in_audience"


@dataclass(frozen=True, slots=True)
class CodeResult:
    """The outcome, and the player's code unless it was refused."""

    outcome: CodeOutcome
    code: str | None = None
    reason: str = ""
    """Sentence for the caller, where the outcome alone does not say enough."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The version of the terms that the player accepted, and where, as the caller reports it."""

    version: str
    jurisdiction: str | None

    def of_offer(self, link: LinkOptions, *, at: datetime) -> dict[str, Any]:
        return acceptance(link, self.version, jurisdiction=self.jurisdiction, at=at)


async def get_or_create_code(
    session: Session,
    *,
    player_id: str,
    campaign: str,
    vanity: str | None,
    at: datetime,
    before_start: bool = True,
    segments: Collection[str] = (),
    accepted: Acceptance | None = None,
) -> CodeResult:
    """Return the player's code in a campaign, drawing or taking one if there is none.

    `vanity` is normalised and well-formed. Without `before_start`, a campaign that has not begun
    gives no new codes. `segments` are the player's; a code that they have already stays theirs.
    """
    query = select(Campaign, CampaignVersion.options, CampaignVersion.link, IS_SWITCHED_OFF)
    query = query.join(CampaignVersion, IS_CURRENT_VERSION).where(Campaign.slug == campaign)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return CodeResult(CodeOutcome.UNKNOWN_CAMPAIGN)
    row, options, link, is_switched_off = found
    accepted_terms = accepted.of_offer(link_from(link), at=at) if accepted else None
    known = await _find_code(session, player_id, row.id)
    if known is not None:
        if accepted_terms is not None:
            of_code = update(ReferralCode).where(ReferralCode.code == known)
            await session.execute(of_code.values(accepted_terms=accepted_terms))
        return _known_code_result(known, vanity=vanity)
    schedule = schedule_of(row)
    is_early = schedule.begins_after(at) and not before_start
    if row.status is CampaignStatus.DRAFT or schedule.has_ended(at) or is_early:
        return CodeResult(CodeOutcome.NOT_OPEN)
    if is_switched_off:
        return CodeResult(CodeOutcome.SWITCHED_OFF)
    reason = options_from(options).audience.refusal_of(segments)
    if reason is not None:
        return CodeResult(CodeOutcome.NOT_IN_AUDIENCE, reason=reason)
    return await _insert_code(session, player_id, row.id, vanity, accepted_terms)


async def record_share(session: Session, *, code: str, channel: str, at: datetime) -> UUID | None:
    """Record a share and return its id; None for a code that nobody has."""
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


async def _find_code(session: Session, player_id: str, campaign_id: UUID) -> str | None:
    return await session.scalar(
        select(ReferralCode.code).where(
            ReferralCode.player_id == player_id, ReferralCode.campaign_id == campaign_id
        )
    )


async def _insert_code(
    session: Session,
    player_id: str,
    campaign_id: UUID,
    vanity: str | None,
    accepted_terms: dict[str, Any] | None,
) -> CodeResult:
    for _ in range(MAX_DRAWS):
        code = vanity or _draw_code()
        values = {
            "code": code,
            "player_id": player_id,
            "campaign_id": campaign_id,
            "accepted_terms": accepted_terms,
        }
        added = await session.scalar(
            insert(ReferralCode)
            .values(values)
            .on_conflict_do_nothing()
            .returning(ReferralCode.code)
        )
        if added is not None:
            return CodeResult(CodeOutcome.NEW, added)
        # Either the same player asked twice at the same time, or another player has the code.
        known = await _find_code(session, player_id, campaign_id)
        if known is not None:
            return _known_code_result(known, vanity=vanity)
        if vanity is not None:
            return CodeResult(CodeOutcome.TAKEN)
    raise RuntimeError(f"{MAX_DRAWS} drawn codes in a row exist already")


def _draw_code() -> str:
    while is_profane(code := code_from_bytes(secrets.token_bytes(16))):
        pass
    return code


def _known_code_result(known: str, *, vanity: str | None) -> CodeResult:
    is_same = vanity is None or vanity == known
    return CodeResult(CodeOutcome.KNOWN if is_same else CodeOutcome.HAS_ANOTHER, known)
