"""Referrals as they are stored: opened, locked, moved between stages with timeline and event."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, TextClause, and_, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from db import outbox
from db.engine import ReadSession, Session
from db.statements.stored_rows import flush, mark_written, stored
from db.tables import Campaign, CampaignVersion, ReferralCode, ReferralRow
from domain.campaigns.terms import Terms
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import (
    MONEY_STAGES,
    Referral,
    Stage,
    Standing,
    event_type,
    invitation_deadline,
)
from domain.lifecycle.reminders import Reminder, reminders_after, reminders_of
from referrals.campaigns.variants import promised_to
from referrals.campaigns.versions import has_reminders, terms_from
from referrals.lifecycle.events import MONEY, deferred_until

_WRITTEN: Final = (
    *("stage", "until", "steps", "awaits_funds", "assessment_id", "qualified_by", "credited_at"),
    *("referee_id", "signed_up_at", "signup_event_id", "attribution_method"),
    *("attribution_confidence", "accepted_terms", "reminded_until"),
)
"""Columns of a referral that a stage change writes with its timeline and event."""
_STEP: Final = """
    step as (
        insert into timeline (id, referral_id, step, stage, at, reason, reason_code)
        values (:event_id, :id, :steps, :stage, :at, :reason, :reason_code)
    )
"""
_OPEN: Final = text(f"with {_STEP} {outbox.insert_of_referral()}").bindparams(outbox.PAYLOAD)


def _move(more: str = "") -> TextClause:
    """Return the statement of a stage change: one, because each writes all of it."""
    return text(f"""
        with moved as (
            update referrals set {", ".join(f"{name} = :{name}" for name in _WRITTEN)}
             where id = :id
        ), {_STEP} {outbox.insert_of_referral(more)}
    """).bindparams(  # noqa: S608 - made of constants
        outbox.PAYLOAD, bindparam("accepted_terms", type_=JSONB(none_as_null=True))
    )


_MOVE: Final = _move()
_MOVE_TELLING_OF_MONEY: Final = _move(MONEY)
_PAIR: Final = text("select referrer_id, referee_id from referrals where id = :referral_id")
_FIND: Final = text("select * from referrals where id = :referral_id")
_LOCK_BOUND: Final = text("""
    select * from referrals where referee_id = :player_id and stage <> 'LOST' for no key update
""")
_LOCK: Final = text("select * from referrals where id = :referral_id for no key update")


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


async def find_referral(session: ReadSession, referral_id: UUID) -> ReferralRow | None:
    found = (await session.execute(_FIND, {"referral_id": referral_id})).one_or_none()
    return None if found is None else stored(session, ReferralRow, found)


async def lock_referral(session: Session, referral_id: UUID) -> ReferralRow | None:
    found = (await session.execute(_LOCK, {"referral_id": referral_id})).one_or_none()
    return None if found is None else stored(session, ReferralRow, found)


async def lock_bound_referral(session: Session, player_id: str) -> ReferralRow | None:
    """Lock the referral to which a player's signup is bound, if there is one."""
    found = (await session.execute(_LOCK_BOUND, {"player_id": player_id})).one_or_none()
    return None if found is None else stored(session, ReferralRow, found)


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
    is_new = previous is None
    if not is_new:
        mark_written(session, row, _WRITTEN)
    await flush(session)
    event_id = uuid5(row.id, f"timeline:{row.steps}")
    type_ = event_type(row.stage, previous=previous)
    told = reason and ": ".join(filter(None, (reason.text, detail)))
    payload = outbox.payload_of(
        event_id=event_id, type_=type_, referral=row, at=at, reason_code=reason, reason=told
    )
    step = {"id": row.id, "steps": row.steps, "stage": row.stage.value, "at": at}
    step |= {"reason": told, "reason_code": reason}
    payload |= await deferred_until(session, row)
    values = step | outbox.values_of(row, event_id=event_id, type_=type_, payload=payload)
    if is_new:
        await session.execute(_OPEN, values)
        return
    move = _MOVE_TELLING_OF_MONEY if row.stage in MONEY_STAGES else _MOVE
    await session.execute(move, {name: getattr(row, name) for name in _WRITTEN} | values)


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
