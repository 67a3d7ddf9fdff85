"""Referrals as they are stored: opened, locked, moved between stages with timeline and event."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, and_, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from db import outbox
from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion, ReferralCode, ReferralRow
from domain.campaigns.terms import Terms
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import (
    Referral,
    Stage,
    Standing,
    event_type,
    invitation_deadline,
)
from domain.lifecycle.reminders import Reminder, reminders_after, reminders_of
from referrals.campaigns.variants import promised_to
from referrals.campaigns.versions import has_reminders, terms_from
from referrals.lifecycle.events import money_of

# One statement, because every stage change writes both, and reads the campaign's version.
_INSERT_TIMELINE_AND_EVENT: Final = text("""
    with step as (
        insert into timeline (id, referral_id, step, stage, at, reason, reason_code)
        values (:event_id, :referral_id, :step, :stage, :at, :reason, :reason_code)
    )
    insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
    select :event_id, :aggregate, :key, :type,
           :payload || jsonb_build_object('campaign_version', version), :schema_version
      from campaign_versions where id = :version_id
""").bindparams(bindparam("payload", type_=JSONB))
_PAIR: Final = text("select referrer_id, referee_id from referrals where id = :referral_id")


async def open_referral(
    session: Session,
    *,
    referral_id: UUID,
    code: ReferralCode,
    campaign: Campaign,
    version: CampaignVersion,
    invited_at: datetime,
    visitor: str | None = None,
) -> ReferralRow:
    """Write an invitation with a copy of its terms, its timeline and its event.

    Raises IntegrityError when this visitor already has an open invitation of this code.
    """
    promised = promised_to(
        version.terms, version.variants, slug=campaign.slug, referrer_id=code.player_id
    )
    until = invitation_deadline(invited_at, terms_from(promised.terms))
    row = ReferralRow(
        id=referral_id,
        campaign_id=campaign.id,
        campaign_slug=campaign.slug,
        campaign_version_id=version.id,
        code=code.code,
        referrer_id=code.player_id,
        visitor=visitor,
        terms=promised.terms,
        variant=promised.variant,
        accepted_terms=code.accepted_terms and {"referrer": code.accepted_terms},
        stage=Stage.INVITED,
        until=until,
        steps=0,
        awaits_funds=False,
        invited_at=invited_at,
    )
    session.add(row)
    await _record_stage_change(session, row, previous=None, at=invited_at)
    return row


async def lock_referral(session: Session, referral_id: UUID) -> ReferralRow | None:
    query = select(ReferralRow).where(ReferralRow.id == referral_id)
    return await session.scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )


async def lock_bound_referral(session: Session, player_id: str) -> ReferralRow | None:
    """Lock the referral to which a player's signup is bound, if there is one."""
    query = select(ReferralRow).where(is_bound_to(player_id))
    return await session.scalar(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def is_bound_to(player_id: str) -> ColumnElement[bool]:
    """Return the condition of the one referral to which a player's signup is bound."""
    return and_(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)


async def pair_ids(session: ReadSession, referral_id: UUID) -> tuple[str, str | None] | None:
    """Return the referrer's and, once there was a signup, the referee's id of a referral."""
    row = (await session.execute(_PAIR, {"referral_id": referral_id})).one_or_none()
    return (row.referrer_id, row.referee_id) if row else None


async def enter_stage(
    session: Session,
    row: ReferralRow,
    stage: Stage,
    *,
    until: datetime,
    at: datetime,
    reason: ReasonCode | None = None,
    detail: str = "",
) -> Standing:
    """Move a locked referral to a stage; entering its own stage only changes the deadline.

    `detail` is prose behind the reason's own text.
    """
    previous, row.stage, row.until = row.stage, stage, until
    if previous is not stage:
        await _record_stage_change(
            session, row, previous=previous, at=at, reason=reason, detail=detail
        )
    return standing_of(row)


async def _record_stage_change(
    session: Session,
    row: ReferralRow,
    *,
    previous: Stage | None,
    at: datetime,
    reason: ReasonCode | None = None,
    detail: str = "",
) -> None:
    row.steps += 1
    await session.flush()
    event_id = uuid5(row.id, f"timeline:{row.steps}")
    type_ = event_type(row.stage, previous=previous)
    told = reason and ": ".join(filter(None, (reason.text, detail)))
    values = {
        "event_id": event_id,
        "referral_id": row.id,
        "step": row.steps,
        "stage": row.stage.value,
        "at": at,
        "reason": told,
        "reason_code": reason,
        "aggregate": outbox.AGGREGATE,
        "key": str(row.id),
        "type": type_,
        "schema_version": outbox.SCHEMA_VERSION,
        "version_id": row.campaign_version_id,
    }
    payload = outbox.payload_of(
        event_id=event_id, type_=type_, referral=row, at=at, reason_code=reason, reason=told
    )
    payload |= await money_of(session, row)
    await session.execute(_INSERT_TIMELINE_AND_EVENT, values | {"payload": payload})


def terms_of(row: ReferralRow) -> Terms:
    return terms_from(row.terms)


def standing_of(row: ReferralRow) -> Standing:
    """Return where a referral stands; it waits until its deadline or its next reminder."""
    times = (row.until, *(reminder.at for reminder in upcoming_reminders(row)))
    return Standing(row.stage, min(times))


def upcoming_reminders(row: ReferralRow) -> tuple[Reminder, ...]:
    """Return the reminders of the present stage that were neither written nor left out."""
    if not has_reminders(row.terms):
        return ()
    planned = reminders_of(
        row.stage, terms_of(row), invited_at=row.invited_at, signed_up_at=row.signed_up_at
    )
    return reminders_after(planned, row.reminded_until)


def workflow_input_of(row: ReferralRow) -> Referral:
    """Return the input with which a referral's workflow is started at any stage."""
    return Referral(
        referral_id=row.id,
        campaign=row.campaign_slug,
        code=row.code,
        referrer_id=row.referrer_id,
        referee_id=row.referee_id,
        standing=standing_of(row),
    )
