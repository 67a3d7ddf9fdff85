"""The writing statements of a click: one for each, because a person waits for it."""

from typing import Any, Final
from uuid import UUID, uuid4, uuid5

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
from referrals.campaigns.offers import Offer

# The same rows as those of the plain writers, column by column (a test compares them). Equal
# clicks at once meet at the unique index: the second of them inserts nothing.
_INSERT_INVITATION: Final = text("""
    with opened as (
        insert into referrals (id, campaign_id, campaign_slug, campaign_version_id, code,
            referrer_id, visitor, terms, variant, accepted_terms, stage, until, steps, invited_at)
        select :referral_id, campaign_id, :campaign, id, :code, :referrer_id, :visitor,
            coalesce(:terms, terms), :variant, :accepted_terms, :stage, :until, 1, :at
        from campaign_versions where id = :version_id
        on conflict (visitor, code) where visitor is not null and stage = 'INVITED' do nothing
        returning id
    ), step as (
        insert into timeline (id, referral_id, step, stage, at)
        select :event_id, id, 1, :stage, :at from opened
    ), events as (
        insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
        select event.id, :aggregate, :key, event.type, event.payload, :schema_version
          from opened cross join (values
              (1, cast(:touch_id as uuid), cast(:clicked_type as varchar), :clicked),
              (2, :event_id, :type, :payload)) as event (place, id, type, payload)
         order by place
    ), touched as (
        insert into touches (id, method, confidence, at, code, campaign_slug, referral_id, visitor,
            platform, ip, user_agent, device_id, signals)
        select :touch_id, :method, :confidence, :at, :code, :campaign, id, :visitor,
            :platform, :ip, :user_agent, :device_id, :signals from opened
    ), waiting as (
        insert into deliveries (referral_id, kind, event_id)
        select id, :delivery_kind, :key from opened
        returning id
    )
    select count(*) from waiting
""").bindparams(
    bindparam("terms", type_=JSONB(none_as_null=True)),
    bindparam("accepted_terms", type_=JSONB(none_as_null=True)),
    bindparam("payload", type_=JSONB),
    bindparam("clicked", type_=JSONB),
    bindparam("signals", type_=JSONB),
)
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


async def insert_invitation(
    session: StatementExecutor, click: Click, followed: FollowedCode
) -> UUID | None:
    """Insert an invitation with its timeline, event, touch and delivery, and return its id.

    Writes the rows that `open_referral`, `record_touch` and the delivery queue would write, in one
    statement. Returns None if the visitor has an open invitation of this code.
    """
    referral_id = uuid4()
    event_id = uuid5(referral_id, "timeline:1")
    type_ = event_type(Stage.INVITED, previous=None)
    values = {
        "referral_id": referral_id,
        "version_id": followed.version_id,
        "referrer_id": followed.offer.player_id,
        "terms": followed.variant_terms,
        "variant": followed.offer.variant,
        "accepted_terms": followed.accepted_terms and {"referrer": followed.accepted_terms},
        "stage": Stage.INVITED.value,
        "until": invitation_deadline(click.at, followed.offer.terms),
        "event_id": event_id,
        "delivery_kind": INVITATION,
        "type": type_,
        "payload": outbox.payload_of(
            event_id=event_id,
            type_=type_,
            referral=_unsaved_referral(referral_id, followed.offer, followed.offer.variant),
            at=click.at,
            campaign_version=followed.version,
        ),
    }
    touch = touch_of(click, campaign=followed.offer.campaign)
    values |= _touch_values(touch)
    values |= _clicked_values(touch, referral_id, followed, followed.offer.variant)
    inserted = await session.execute(_INSERT_INVITATION, values)
    if not inserted.scalar_one():
        return None
    wake_after_commit(session, notifications.INVITATIONS)
    return referral_id


async def insert_repeated_click(
    session: StatementExecutor, click: Click, followed: FollowedCode, known: OpenInvitation
) -> None:
    """Insert the touch and the event of a click of the visitor's open invitation."""
    referral_id = known.referral_id
    touch = touch_of(click, campaign=followed.offer.campaign, referral_id=referral_id)
    values = _touch_values(touch) | _clicked_values(touch, referral_id, followed, known.variant)
    await session.execute(_INSERT_REPEATED_CLICK, values | {"referral_id": referral_id})


async def warm_up(session: StatementExecutor, click: Click) -> None:
    """Let Postgres plan the statement of a new invitation, with an offer that does not exist."""
    nothing: dict[str, Any] = dict.fromkeys(_INSERT_INVITATION.compile().params)
    await session.execute(_INSERT_INVITATION, nothing | _touch_values(touch_of(click)))


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
    payload = outbox.payload_of(
        event_id=touch.id,
        type_=CLICKED,
        referral=_unsaved_referral(referral_id, followed.offer, variant),
        at=touch.at,
        campaign_version=followed.version,
    )
    return {
        "key": str(referral_id),
        "aggregate": outbox.AGGREGATE,
        "schema_version": outbox.SCHEMA_VERSION,
        "clicked_type": CLICKED,
        "clicked": payload | {"code": touch.code, "platform": touch.platform},
    }


def _unsaved_referral(referral_id: UUID, offer: Offer, variant: str | None) -> ReferralRow:
    """Return a row for the event's payload alone; the statement inserts the referral itself."""
    return ReferralRow(
        id=referral_id,
        campaign_slug=offer.campaign,
        stage=Stage.INVITED,
        referrer_id=offer.player_id,
        variant=variant,
    )
