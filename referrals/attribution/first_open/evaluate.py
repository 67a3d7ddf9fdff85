"""What an app found, looked up: a token of an invitation, or a link that makes one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession, Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.first_open import Find
from domain.attribution.install_referrer import first_broken_rule
from domain.attribution.policy import Method, Refusal, weaker
from domain.lifecycle.referral import Stage
from referrals.attribution.clicks import follow as clicks
from referrals.attribution.clicks.follow import outcome_if_closed
from referrals.attribution.clicks.statements import Visit
from referrals.attribution.first_open.touches import (
    EvaluatedHint,
    FirstOpen,
    install_evidence,
    invitation_expires_at,
)
from referrals.attribution.tokens import Outcome, Tokens
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer

RETRY_WINDOW: Final = timedelta(hours=1)
"""The same link opened again so soon is the same request, and no second touch."""

_REFUSAL_OF_CLICK: Final = {
    clicks.Outcome.UNKNOWN_CODE: Refusal.UNKNOWN_CODE,
    clicks.Outcome.CAMPAIGN_PAUSED: Refusal.CAMPAIGN_PAUSED,
    clicks.Outcome.CAMPAIGN_ENDED: Refusal.CAMPAIGN_ENDED,
}


async def judge(
    session: Session, opened: FirstOpen, find: Find, *, tokens: Tokens
) -> EvaluatedHint:
    """What a find leads to; following a link writes its touch, the others are not written yet."""
    if find.token is not None:
        return await _evaluate_token(session, opened, find, find.token, tokens)
    if find.code is not None:
        return await _evaluate_code(session, opened, find.method, find.code)
    return EvaluatedHint(method=find.method, refusal=find.refusal)


async def _evaluate_token(
    session: ReadSession, opened: FirstOpen, find: Find, token: str, tokens: Tokens
) -> EvaluatedHint:
    reading = tokens.read(token, at=opened.at)
    unread = EvaluatedHint(method=find.method, text=token, evidence=install_evidence(find, None))
    if reading.outcome is not Outcome.VALID or reading.subject is None:
        return replace(unread, refusal=_REFUSAL_OF_TOKEN[reading.outcome])
    if reading.method is Method.PROBABILISTIC:
        # Its subject is a touch that only a person's answer can make count.
        return replace(unread, refusal=Refusal.NOT_ACCEPTED)
    row = await session.get(ReferralRow, reading.subject)
    if row is None:
        return replace(unread, refusal=Refusal.UNKNOWN_REFERRAL)
    method, rule = weaker(find.method, reading.method), _broken_rule(opened, find, row)
    refusal = Refusal.CLICK_INJECTION if rule else await _refusal(session, opened, row, method)
    told = install_evidence(find, rule)
    return replace(unread, method=method, referral=row, refusal=refusal, evidence=told)


def _broken_rule(opened: FirstOpen, find: Find, row: ReferralRow) -> str | None:
    if find.install is None:
        return None
    return first_broken_rule(find.install, invited_at=row.invited_at, now=opened.at)


async def _refusal(
    session: ReadSession, opened: FirstOpen, row: ReferralRow, method: Method
) -> Refusal | None:
    """Why an invitation no longer invites; one that somebody else used up does while it is open."""
    if row.stage is Stage.EXPIRED or opened.at >= invitation_expires_at(row):
        return Refusal.EXPIRED_TOKEN
    offer = await offers.find(session, row.code)
    if offer is None:
        return Refusal.UNKNOWN_CODE
    if offer.policy.rank_of(method) is None:
        return Refusal.NOT_ACCEPTED
    return None if row.stage is Stage.INVITED else _closed(offer, opened.at)


def _closed(offer: Offer, at: datetime) -> Refusal | None:
    outcome = outcome_if_closed(offer.schedule, at)
    return None if outcome is None else _REFUSAL_OF_CLICK[outcome]


async def _evaluate_code(
    session: Session, opened: FirstOpen, method: Method, code: str
) -> EvaluatedHint:
    """Opening the app by a link, or giving it one, is a click made by the device."""
    judged = EvaluatedHint(method=method, text=code, code=code)
    refusal = _unusable(await offers.find(session, code), method, opened.at)
    if refusal is not None:
        return replace(judged, refusal=refusal)
    referral_id = await _find_recent_invitation(session, opened, method, code)
    if referral_id is None:
        referral_id = await _follow(session, opened, method, code)
    row = await session.get_one(ReferralRow, referral_id)
    return replace(judged, referral=row, is_recorded=True)


def _unusable(offer: Offer | None, method: Method, at: datetime) -> Refusal | None:
    if offer is None:
        return Refusal.UNKNOWN_CODE
    return Refusal.NOT_ACCEPTED if offer.policy.rank_of(method) is None else _closed(offer, at)


async def _follow(session: Session, opened: FirstOpen, method: Method, code: str) -> UUID:
    visit = Visit(
        code=code,
        visitor=opened.visitor,
        platform=opened.platform,
        at=opened.at,
        method=method,
        signals=opened.signals,
        ip=opened.ip,
        user_agent=opened.user_agent,
        device_id=opened.device_id,
    )
    invitation = await clicks.follow(session, visit)
    if invitation.referral_id is None:
        raise LookupError(f"code {code} has closed while it was followed")
    return invitation.referral_id


async def _find_recent_invitation(
    session: ReadSession, opened: FirstOpen, method: Method, code: str
) -> UUID | None:
    query = (
        select(ReferralRow)
        .join(TouchRow, TouchRow.referral_id == ReferralRow.id)
        .where(
            TouchRow.visitor == opened.visitor,
            TouchRow.method == method,
            TouchRow.code == code,
            TouchRow.at > opened.at - RETRY_WINDOW,
            ReferralRow.stage == Stage.INVITED,
        )
        .order_by(TouchRow.at.desc())
        .limit(1)
    )
    row = await session.scalar(query)
    return row.id if row is not None and opened.at < invitation_expires_at(row) else None


_REFUSAL_OF_TOKEN: Final = {
    Outcome.FORGED: Refusal.FORGED_TOKEN,
    Outcome.EXPIRED: Refusal.EXPIRED_TOKEN,
    Outcome.VALID: Refusal.FORGED_TOKEN,
}
