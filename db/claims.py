"""Looking up what a signup claims about who brought it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from db import offers
from db.engine import Session
from db.referrals import terms_of
from db.tables import ReferralRow
from domain.attribution import Claim, Method, Refusal
from domain.codes import normalised
from domain.facts import Signup
from domain.qualification import CLOCK_SKEW
from domain.referral import Stage
from tokens import Outcome, read


async def claims_of(session: Session, signup: Signup, *, token_key: bytes) -> tuple[Claim, ...]:
    """A token says more than a code, which may be typed from memory; so it comes first."""
    claims: list[Claim] = []
    if signup.referral_token is not None:
        claims.append(await _token_claim(session, signup, signup.referral_token, token_key))
    if signup.code is not None:
        code = normalised(signup.code)
        claims.append(await _invited_anew(session, Method.TYPED_CODE, code, at=signup.occurred_at))
    return tuple(claims)


async def signal_claim(session: Session, signup: Signup, referral_id: UUID) -> Claim:
    """What it means that a signup was signalled to a referral's own workflow."""
    return await _invitation_claim(session, Method.SIGNAL, referral_id, at=signup.occurred_at)


async def _token_claim(session: Session, signup: Signup, token: str, key: bytes) -> Claim:
    reading = read(token, key=key, at=signup.occurred_at)
    if reading.outcome is Outcome.EXPIRED:
        return Claim(method=Method.REFERRAL_TOKEN, refusal=Refusal.EXPIRED_TOKEN)
    if reading.referral_id is None:
        return Claim(method=Method.REFERRAL_TOKEN, refusal=Refusal.FORGED_TOKEN)
    return await _invitation_claim(
        session, Method.REFERRAL_TOKEN, reading.referral_id, at=signup.occurred_at
    )


async def _invitation_claim(
    session: Session, method: Method, referral_id: UUID, *, at: datetime
) -> Claim:
    row = await _locked_with_its_visitors_others(session, referral_id)
    if row is None:
        return Claim(method=method, refusal=Refusal.UNKNOWN_REFERRAL)
    if row.stage is Stage.EXPIRED or at > row.invited_at + terms_of(row).signup_window:
        return Claim(method=method, refusal=Refusal.EXPIRED_TOKEN)
    if at < row.invited_at - max(CLOCK_SKEW, terms_of(row).lateness_grace):
        return Claim(method=method, refusal=Refusal.EXISTING_PLAYER)
    if row.stage is Stage.INVITED:
        return Claim(method=method, code=row.code, referral_id=row.id)
    return await _invited_anew(session, method, row.code, at=at)


async def _invited_anew(session: Session, method: Method, code: str, *, at: datetime) -> Claim:
    """A typed code, or a link that somebody else used up, invites again while the offer runs."""
    offer = await offers.find(session, code)
    if offer is None:
        return Claim(method=method, refusal=Refusal.UNKNOWN_CODE)
    if not offer.schedule.is_open(at):
        return Claim(method=method, refusal=Refusal.CAMPAIGN_ENDED)
    return Claim(method=method, code=code)


async def _locked_with_its_visitors_others(
    session: Session, referral_id: UUID
) -> ReferralRow | None:
    """The referral, locked in one order with what binding it would supersede."""
    wanted = aliased(ReferralRow)
    visitor = select(wanted.visitor).where(wanted.id == referral_id).scalar_subquery()
    others = and_(ReferralRow.visitor == visitor, ReferralRow.stage == Stage.INVITED)
    rows = await session.scalars(
        select(ReferralRow)
        .where(or_(ReferralRow.id == referral_id, others))
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}.get(referral_id)
