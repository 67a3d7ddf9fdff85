"""What a click reads and writes, in one statement each, because a person waits for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Row, and_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from db import notifications, outbox
from db.engine import StatementExecutor
from db.tables import Campaign, CampaignVersion, ReferralCode, ReferralRow
from domain.attribution.policy import CONFIDENCE, Method
from domain.campaigns.terms import Schedule
from domain.lifecycle.referral import Stage, event_type, invitation_deadline
from domain.lifecycle.signals import INVITATION
from referrals.campaigns.offers import Offer
from referrals.campaigns.versions import IS_CURRENT_VERSION, link_from, policy_from, terms_from

# Made once: making a query takes longer than asking it.
_SELECT_FOLLOWED_CODE: Final = (
    select(
        ReferralCode.code,
        ReferralCode.player_id,
        Campaign.slug,
        Campaign.status,
        Campaign.starts_at,
        Campaign.ends_at,
        CampaignVersion.id.label("version_id"),
        CampaignVersion.destination,
        CampaignVersion.terms,
        CampaignVersion.attribution,
        CampaignVersion.link,
        ReferralRow.id.label("referral_id"),
        ReferralRow.invited_at,
        ReferralRow.terms.label("promised"),
    )
    .join(Campaign, Campaign.id == ReferralCode.campaign_id)
    .join(CampaignVersion, IS_CURRENT_VERSION)
    .outerjoin(
        ReferralRow,
        and_(
            ReferralRow.visitor == bindparam("visitor"),
            ReferralRow.code == ReferralCode.code,
            ReferralRow.stage == text("'INVITED'"),
        ),
    )
    .where(ReferralCode.code == bindparam("code"))
)

_TOUCH: Final = text("""
    insert into touches (id, method, confidence, at, code, campaign_slug, referral_id, visitor,
        platform, ip, user_agent, device_id, signals, refusal)
    values (:touch_id, :method, :confidence, :at, :code, :campaign, :referral_id, :visitor,
        :platform, :ip, :user_agent, :device_id, :signals, :refusal)
""").bindparams(bindparam("signals", type_=JSONB))

# Equal clicks at once meet at the unique index: the one that comes second adds nothing.
_INSERT_INVITATION: Final = text("""
    with opened as (
        insert into referrals (id, campaign_id, campaign_slug, campaign_version_id, code,
            referrer_id, visitor, terms, stage, until, steps, invited_at)
        select :referral_id, campaign_id, :campaign, id, :code, :referrer_id, :visitor, terms,
            :stage, :until, 1, :at
        from campaign_versions where id = :version_id
        on conflict (visitor, code) where visitor is not null and stage = 'INVITED' do nothing
        returning id
    ), step as (
        insert into timeline (id, referral_id, step, stage, at)
        select :event_id, id, 1, :stage, :at from opened
    ), told as (
        insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
        select :event_id, :aggregate, :key, :type, :payload, :schema_version from opened
    ), touched as (
        insert into touches (id, method, confidence, at, code, campaign_slug, referral_id, visitor,
            platform, ip, user_agent, device_id, signals)
        select :touch_id, :method, :confidence, :at, :code, :campaign, id, :visitor,
            :platform, :ip, :user_agent, :device_id, :signals from opened
    ), waiting as (
        insert into deliveries (referral_id, kind, event_id)
        select id, :delivery_kind, :key from opened
        returning pg_notify(:channel, :notification)
    )
    select count(*) from waiting
""").bindparams(bindparam("payload", type_=JSONB), bindparam("signals", type_=JSONB))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One click; the visitor and all that tells about the person are hashed already."""

    code: str
    visitor: str
    platform: str | None
    at: datetime
    method: Method = Method.REFERRAL_TOKEN
    signals: Mapping[str, str] = field(default_factory=dict)
    ip: str | None = None
    user_agent: str | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """The invitation that a visitor has of a code already."""

    referral_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a code offers, in which version, and what the visitor has of it."""

    offer: Offer
    version_id: UUID
    open: Open | None


async def find(session: StatementExecutor, visit: Visit) -> Found | None:
    """None when there is no such code."""
    asked = {"code": visit.code, "visitor": visit.visitor}
    row = (await session.execute(_SELECT_FOLLOWED_CODE, asked)).one_or_none()
    return None if row is None else Found(_offer(row), row.version_id, _open(row))


async def touch(
    session: StatementExecutor,
    visit: Visit,
    *,
    campaign: str | None,
    referral_id: UUID | None = None,
    refusal: str | None = None,
) -> None:
    """Write that there was a visit which opened nothing new."""
    values = {"campaign": campaign, "referral_id": referral_id, "refusal": refusal}
    await session.execute(_TOUCH, _values(visit) | values)


async def insert_invitation(session: StatementExecutor, visit: Visit, found: Found) -> UUID | None:
    """An invitation with its terms, timeline, event, touch and delivery; None if there is one."""
    referral_id = uuid4()
    event_id = uuid5(referral_id, "timeline:1")
    type_ = event_type(Stage.INVITED, previous=None)
    values = {
        "referral_id": referral_id,
        "key": str(referral_id),
        "campaign": found.offer.campaign,
        "version_id": found.version_id,
        "referrer_id": found.offer.player_id,
        "stage": Stage.INVITED.value,
        "until": invitation_deadline(visit.at, found.offer.terms),
        "event_id": event_id,
        "delivery_kind": INVITATION,
        "channel": notifications.CHANNEL,
        "notification": notifications.INVITATIONS,
        "aggregate": outbox.AGGREGATE,
        "type": type_,
        "schema_version": outbox.SCHEMA_VERSION,
        "payload": outbox.payload_of(
            event_id=event_id,
            type_=type_,
            referral=_unsaved_referral(referral_id, found.offer),
            at=visit.at,
        ),
    }
    opened = (await session.execute(_INSERT_INVITATION, _values(visit) | values)).scalar_one()
    return referral_id if opened else None


async def plan(session: StatementExecutor, visit: Visit) -> None:
    """Let Postgres plan the statement of a new invitation, of an offer that there is not."""
    nothing: dict[str, Any] = dict.fromkeys(_INSERT_INVITATION.compile().params)
    await session.execute(_INSERT_INVITATION, nothing | _values(visit))


async def release_visitor(session: StatementExecutor, referral_id: UUID) -> None:
    """An invitation whose token is dead is no longer the one that its visitor has."""
    stale = update(ReferralRow).where(ReferralRow.id == referral_id)
    await session.execute(stale.where(ReferralRow.stage == Stage.INVITED).values(visitor=None))


def _values(visit: Visit) -> dict[str, Any]:
    return {
        "touch_id": uuid4(),
        "method": visit.method.value,
        "confidence": CONFIDENCE[visit.method],
        "at": visit.at,
        "code": visit.code,
        "visitor": visit.visitor,
        "platform": visit.platform,
        "ip": visit.ip,
        "user_agent": visit.user_agent,
        "device_id": visit.device_id,
        "signals": dict(visit.signals),
    }


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        code=row.code,
        player_id=row.player_id,
        campaign=row.slug,
        schedule=Schedule(status=row.status, starts_at=row.starts_at, ends_at=row.ends_at),
        destination=row.destination,
        terms=terms_from(row.terms),
        policy=policy_from(row.attribution),
        link=link_from(row.link),
    )


def _open(row: Row[Any]) -> Open | None:
    if row.referral_id is None:
        return None
    return Open(row.referral_id, row.invited_at + terms_from(row.promised).signup_window)


def _unsaved_referral(referral_id: UUID, offer: Offer) -> ReferralRow:
    """Only to tell of it; the row itself is written by the statement."""
    return ReferralRow(
        id=referral_id,
        campaign_slug=offer.campaign,
        stage=Stage.INVITED,
        referrer_id=offer.player_id,
    )
