"""Binding: a signup and the referral it belongs to, decided once under the player's lock."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import exists, select

from db import attributions, deliveries, offers, players
from db.addressing import deliver_every_fact
from db.attributions import BOUND, Binding, Way
from db.claims import claims_of, signal_claim
from db.engine import Session
from db.referrals import enter, locked, open_referral, terms_of
from db.tables import AttributionLog, ReferralRow
from domain.attribution import Attribution, Claim, Refusal, Unattributed, attribute
from domain.facts import Signup
from domain.referral import Stage, deposit_awaited_until

SUPERSEDED: Final = "superseded"


async def bind_signup(
    session: Session,
    signup: Signup,
    *,
    token_key: bytes,
    now: datetime,
    only_referral: UUID | None = None,
) -> Binding:
    """Bind a recorded signup and route its player's facts; asked again, answer the same.

    `only_referral` is the one whose workflow was signalled directly.
    """
    await players.lock(session, signup.player_id)
    way = Way.DOOR if only_referral is None else Way.SIGNAL
    if decided := await attributions.decided(session, signup.event_id, way):
        return decided
    claims: tuple[Claim, ...] = ()
    verdict: Attribution | Unattributed = Unattributed(Refusal.EXISTING_PLAYER)
    if not await _is_referred(session, signup.player_id):
        claims = await _claims(session, signup, token_key=token_key, only_referral=only_referral)
        verdict = attribute(claims)
    if isinstance(verdict, Unattributed):
        return await attributions.log(session, signup, way, claims, Binding(verdict.reason))
    row = await _bound(session, signup, verdict, now=now)
    await deliver_every_fact(session, row)
    bound = Binding(BOUND, row.id, is_new=True)
    return await attributions.log(session, signup, way, claims, bound)


async def _is_referred(session: Session, player_id: str) -> bool:
    bound = exists().where(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)
    before = exists().where(AttributionLog.player_id == player_id, AttributionLog.outcome == BOUND)
    return (await session.scalar(select(bound | before))) is True


async def _claims(
    session: Session, signup: Signup, *, token_key: bytes, only_referral: UUID | None
) -> tuple[Claim, ...]:
    if only_referral is not None:
        return (await signal_claim(session, signup, only_referral),)
    return await claims_of(session, signup, token_key=token_key)


async def _bound(
    session: Session, signup: Signup, attribution: Attribution, *, now: datetime
) -> ReferralRow:
    row = await _invitation(session, signup, attribution)
    row.referee_id = signup.player_id
    row.signed_up_at = signup.occurred_at
    row.signup_event_id = signup.event_id
    row.attribution_method = attribution.method
    row.attribution_confidence = attribution.confidence
    until = deposit_awaited_until(signup.occurred_at, terms_of(row), heard_at=now)
    await enter(session, row, Stage.SIGNED_UP, until=until, at=signup.occurred_at)
    await _supersede_others(session, row, now=now)
    return row


async def _invitation(session: Session, signup: Signup, attribution: Attribution) -> ReferralRow:
    if attribution.referral_id is not None:
        row = await locked(session, attribution.referral_id)
        if row is None:
            raise LookupError(f"referral {attribution.referral_id} is gone")
        return row
    return await _new_invitation(session, signup, attribution.code)


async def _new_invitation(session: Session, signup: Signup, code: str) -> ReferralRow:
    found = await offers.rows_of(session, code)
    if found is None:
        raise LookupError(f"code {code} is gone")
    known, campaign, version = found
    return await open_referral(
        session,
        referral_id=uuid5(campaign.id, f"signup:{signup.event_id}"),
        code=known,
        campaign=campaign,
        version=version,
        invited_at=signup.occurred_at,
    )


async def _supersede_others(session: Session, winner: ReferralRow, *, now: datetime) -> None:
    """One visitor is one person: what else invited them has lost."""
    if winner.visitor is None:
        return
    losers = await session.scalars(
        select(ReferralRow)
        .where(
            ReferralRow.visitor == winner.visitor,
            ReferralRow.stage == Stage.INVITED,
            ReferralRow.id != winner.id,
        )
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
    )
    for loser in losers.all():
        await enter(session, loser, Stage.LOST, until=now, at=now, reason=SUPERSEDED)
        event_id = f"{SUPERSEDED}:{winner.id}"
        await deliveries.add(session, loser.id, kind="look", event_id=event_id, signal="supersede")
