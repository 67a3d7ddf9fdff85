"""Clicks: somebody followed a code, and the same visitor has one open invitation of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from db import deliveries
from db.engine import Session
from db.offers import Offer, offer_of, rows_of
from db.referrals import open_referral, terms_of
from db.tables import ReferralRow, TouchRow
from domain.attribution import CONFIDENCE, Method
from domain.campaign import Schedule
from domain.referral import Stage


class Outcome(StrEnum):
    NEW = "new"
    KNOWN = "known"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ENDED = "campaign_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One click; the visitor and all that tells about the person are hashed already."""

    code: str
    visitor: str
    platform: str
    at: datetime
    method: Method = Method.REFERRAL_TOKEN
    signals: Mapping[str, str] = field(default_factory=dict)
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a click led to; without a referral when the code leads nowhere."""

    outcome: Outcome
    offer: Offer | None = None
    referral_id: UUID | None = None
    expires_at: datetime | None = None


async def follow(session: Session, visit: Visit) -> Invitation:
    """Write the click and, unless this visitor has one open, a new invitation."""
    row = await rows_of(session, visit.code)
    if row is None:
        return Invitation(Outcome.UNKNOWN_CODE)
    offer = offer_of(row)
    closed = closed_by(offer.schedule, visit.at)
    if closed is not None:
        return Invitation(closed, offer)
    await _alone(session, visit)
    referral = await _open_invitation(session, visit)
    outcome = Outcome.NEW if referral is None else Outcome.KNOWN
    if referral is None:
        code, campaign, version = row
        referral = await open_referral(
            session,
            referral_id=uuid4(),
            code=code,
            campaign=campaign,
            version=version,
            invited_at=visit.at,
            visitor=visit.visitor,
        )
        event_id = str(referral.id)
        await deliveries.add(
            session, referral.id, kind="invitation", event_id=event_id, signal=None
        )
    await _record(session, visit, offer, referral.id)
    return Invitation(outcome, offer, referral.id, _expires_at(referral))


def closed_by(schedule: Schedule, at: datetime) -> Outcome | None:
    """Why a campaign invites nobody at that time, if so."""
    if schedule.is_open(at):
        return None
    return Outcome.CAMPAIGN_PAUSED if schedule.is_paused(at) else Outcome.CAMPAIGN_ENDED


async def _alone(session: Session, visit: Visit) -> None:
    """Equal clicks at the same time wait for each other instead of failing on the unique index."""
    key = func.hashtextextended(f"{visit.visitor}:{visit.code}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def _open_invitation(session: Session, visit: Visit) -> ReferralRow | None:
    referral = await session.scalar(
        select(ReferralRow).where(
            ReferralRow.visitor == visit.visitor,
            ReferralRow.code == visit.code,
            ReferralRow.stage == Stage.INVITED,
        )
    )
    if referral is None or visit.at < _expires_at(referral):
        return referral
    # Its token is dead, though it still waits for a signup heard late: it makes room.
    referral.visitor = None
    await session.flush()
    return None


def _expires_at(referral: ReferralRow) -> datetime:
    return referral.invited_at + terms_of(referral).signup_window


async def _record(session: Session, visit: Visit, offer: Offer, referral_id: UUID) -> None:
    await session.execute(
        insert(TouchRow).values(
            id=uuid4(),
            method=visit.method,
            confidence=CONFIDENCE[visit.method],
            code=visit.code,
            campaign_slug=offer.campaign,
            referral_id=referral_id,
            visitor=visit.visitor,
            platform=visit.platform,
            ip=visit.ip,
            user_agent=visit.user_agent,
            device_id=visit.device_id,
            signals=dict(visit.signals),
            at=visit.at,
        )
    )
