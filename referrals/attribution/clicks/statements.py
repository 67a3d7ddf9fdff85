"""Statements that write clicks: new invitations in batches, repeated clicks one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from pydantic_core import to_json
from sqlalchemy import bindparam, text, update
from sqlalchemy.dialects.postgresql import JSONB

from db import notifications, outbox
from db.engine import StatementExecutor
from db.tables import ReferralRow
from db.wakes import wake_after_commit
from domain.attribution.policy import Refusal
from domain.lifecycle.referral import Stage, event_type, invitation_deadline
from domain.lifecycle.signals import INVITATION
from referrals.attribution.clicks.followed_codes import Click, FollowedCode, OpenInvitation
from referrals.attribution.touches import NewTouch

# The same rows as those of the plain writers, column by column (a test compares them). Equal
# clicks at once meet at the unique index: the second of them inserts nothing. Invitations are
# inserted in the order of its keys, so that two statements that share some wait in one order.
_INSERT_INVITATIONS: Final = text("""
    with click as (
        select * from jsonb_to_recordset(cast(cast(:clicks as text) as jsonb)) as click (
            place integer, referral_id uuid, version_id uuid, referrer_id varchar, terms jsonb,
            variant varchar, accepted_terms jsonb, until timestamptz, event_id uuid,
            type varchar, payload jsonb, touch_id uuid, clicked jsonb,
            method varchar, confidence float8, at timestamptz, code varchar, campaign varchar,
            visitor varchar, platform varchar, ip varchar, user_agent varchar, device_id varchar,
            signals jsonb
        )
        where set_config(
            'lock_timeout', coalesce(:lock_timeout, current_setting('lock_timeout')), true
        ) is not null
    ), opened as (
        insert into referrals (id, campaign_id, campaign_slug, campaign_version_id, code,
            referrer_id, visitor, terms, variant, accepted_terms, stage, until, steps, invited_at)
        select referral_id, campaign_id, campaign, version_id, code, referrer_id, visitor,
            coalesce(click.terms, version.terms), variant, accepted_terms, :stage, until, 1, at
          from click cross join lateral (
              select campaign_id, terms from campaign_versions where id = version_id limit 1
          ) as version
         order by visitor, code, place
        on conflict (visitor, code) where visitor is not null and stage = 'INVITED' do nothing
        returning id
    ), new as materialized (
        select click.* from click join opened on opened.id = referral_id
    ), step as (
        insert into timeline (id, referral_id, step, stage, at)
        select event_id, referral_id, 1, :stage, at from new
    ), events as (
        insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
        select event.id, :aggregate, cast(referral_id as varchar), event.type, event.payload,
               :schema_version
          from new cross join lateral (values
              (1, touch_id, cast(:clicked_type as varchar), clicked),
              (2, event_id, type, payload)) as event (part, id, type, payload)
         order by place, part
    ), touched as (
        insert into touches (id, method, confidence, at, code, campaign_slug, referral_id, visitor,
            platform, ip, user_agent, device_id, signals)
        select touch_id, method, confidence, at, code, campaign, referral_id, visitor,
            platform, ip, user_agent, device_id, signals from new
    ), waiting as (
        insert into deliveries (referral_id, kind, event_id)
        select referral_id, :delivery_kind, cast(referral_id as varchar) from new order by place
        returning referral_id
    )
    select referral_id from waiting
""")
_INSERT_REPEATED_CLICK: Final = text("""
    with touched as (
        insert into touches (id, method, confidence, at, code, campaign_slug, referral_id, visitor,
            platform, ip, user_agent, device_id, signals)
        values (:touch_id, :method, :confidence, :at, :code, :campaign, :referral_id, :visitor,
            :platform, :ip, :user_agent, :device_id, :signals)
    )
    insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
    values (:touch_id, :aggregate, :key, :clicked_type, :clicked, :schema_version)
""").bindparams(bindparam("clicked", type_=JSONB), bindparam("signals", type_=JSONB))
CLICKED: Final = "CodeClicked"
_OF_INVITATIONS: Final = {
    "stage": Stage.INVITED.value,
    "delivery_kind": INVITATION,
    "aggregate": outbox.AGGREGATE,
    "schema_version": outbox.SCHEMA_VERSION,
    "clicked_type": CLICKED,
}
"""Values that all new invitations have."""
Invitation = dict[str, Any]
"""A new invitation as JSON's fields: those of its referral, its touch and both of its events."""


async def insert_invitations(
    session: StatementExecutor,
    invitations: Sequence[Invitation],
    *,
    lock_timeout: str | None = None,
) -> list[UUID | None]:
    """Insert new referrals, each with its timeline, events, touch and delivery.

    Writes the rows that `open_referral`, `record_touch` and the delivery queue would write, in one
    statement for all. Returns their ids, and None for a visitor who has an open invitation of this
    code. `lock_timeout` is Postgres's, for the rest of the transaction; without it the session's
    holds.
    """
    rows = [invitation | {"place": place} for place, invitation in enumerate(invitations)]
    values = _OF_INVITATIONS | {
        "clicks": to_json(rows).decode(),
        "lock_timeout": lock_timeout,
    }
    opened = set((await session.execute(_INSERT_INVITATIONS, values)).scalars())
    if opened:
        wake_after_commit(session, notifications.INVITATIONS)
    ids: list[UUID] = [invitation["referral_id"] for invitation in invitations]
    return [referral_id if referral_id in opened else None for referral_id in ids]


def invitation_of(click: Click, followed: FollowedCode) -> Invitation:
    """Return what a click invites to, with ids of its own."""
    referral_id, offer = uuid4(), followed.offer
    event_id = uuid5(referral_id, "timeline:1")
    type_ = event_type(Stage.INVITED, previous=None)
    touch = touch_of(click, campaign=offer.campaign)
    accepted = followed.accepted_terms
    return _touch_values(touch) | {
        "referral_id": referral_id,
        "version_id": followed.version_id,
        "referrer_id": offer.player_id,
        "terms": followed.variant_terms,
        "variant": offer.variant,
        "accepted_terms": accepted and {"referrer": accepted},
        "until": invitation_deadline(click.at, offer.terms),
        "event_id": event_id,
        "type": type_,
        "payload": outbox.payload_of(
            event_id=event_id,
            type_=type_,
            referral=_Invited(referral_id, offer.campaign, offer.variant, offer.player_id),
            at=click.at,
            campaign_version=followed.version,
        ),
        "clicked": _clicked_payload(touch, referral_id, followed, offer.variant),
    }


async def insert_repeated_click(
    session: StatementExecutor, click: Click, followed: FollowedCode, known: OpenInvitation
) -> None:
    """Insert the touch and the event of a click of the visitor's open invitation."""
    referral_id = known.referral_id
    touch = touch_of(click, campaign=followed.offer.campaign, referral_id=referral_id)
    values = _touch_values(touch) | _clicked_values(touch, referral_id, followed, known.variant)
    await session.execute(_INSERT_REPEATED_CLICK, values | {"referral_id": referral_id})


async def release_visitor(session: StatementExecutor, referral_id: UUID) -> None:
    """Detach an invitation whose token has ended from its visitor, who may then open another."""
    stale = update(ReferralRow).where(ReferralRow.id == referral_id)
    await session.execute(stale.where(ReferralRow.stage == Stage.INVITED).values(visitor=None))


def touch_of(
    click: Click,
    *,
    campaign: str | None = None,
    referral_id: UUID | None = None,
    refusal: Refusal | None = None,
) -> NewTouch:
    """Return the touch that a click makes; every click is one of its own."""
    return NewTouch(
        id=uuid4(),
        method=click.method,
        at=click.at,
        code=click.code,
        campaign_slug=campaign,
        referral_id=referral_id,
        visitor=click.visitor,
        platform=click.platform,
        ip=click.ip,
        user_agent=click.user_agent,
        device_id=click.device_id,
        device_traits=click.device_traits,
        refusal=refusal,
    )


def _touch_values(touch: NewTouch) -> dict[str, Any]:
    return {
        "touch_id": touch.id,
        "method": touch.method.value,
        "confidence": touch.effective_confidence,
        "at": touch.at,
        "code": touch.code,
        "campaign": touch.campaign_slug,
        "visitor": touch.visitor,
        "platform": touch.platform,
        "ip": touch.ip,
        "user_agent": touch.user_agent,
        "device_id": touch.device_id,
        "signals": dict(touch.device_traits),
    }


def _clicked_values(
    touch: NewTouch, referral_id: UUID, followed: FollowedCode, variant: str | None
) -> dict[str, Any]:
    """Return the columns of a click's event, whose id is the touch's."""
    return {
        "key": str(referral_id),
        "aggregate": outbox.AGGREGATE,
        "schema_version": outbox.SCHEMA_VERSION,
        "clicked_type": CLICKED,
        "clicked": _clicked_payload(touch, referral_id, followed, variant),
    }


def _clicked_payload(
    touch: NewTouch, referral_id: UUID, followed: FollowedCode, variant: str | None
) -> dict[str, Any]:
    payload = outbox.payload_of(
        event_id=touch.id,
        type_=CLICKED,
        referral=_Invited(referral_id, followed.offer.campaign, variant, followed.offer.player_id),
        at=touch.at,
        campaign_version=followed.version,
    )
    return payload | {"code": touch.code, "platform": touch.platform}


@dataclass(frozen=True, slots=True)
class _Invited:
    """A referral that its statement inserts, for its events' payloads."""

    id: UUID
    campaign_slug: str
    variant: str | None
    referrer_id: str
    stage: Stage = Stage.INVITED
    referee_id: None = None
