"""Evaluating a hint: a token leads to its invitation; a link with only a code opens one."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession, Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.first_open import ReferralHint
from domain.attribution.install_referrer import first_broken_rule
from domain.attribution.policy import Method, Refusal, weaker_method
from domain.lifecycle.referral import Stage
from referrals.attribution.clicks.batching import SessionClicks
from referrals.attribution.clicks.follow import follow_code
from referrals.attribution.clicks.followed_codes import Click
from referrals.attribution.first_open.hints import (
    EvaluatedHint,
    FirstOpen,
    expires_at_of,
    install_evidence,
)
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers
from referrals.campaigns.offers import refusal_of_offer

RETRY_WINDOW: Final = timedelta(hours=1)
"""The same link opened again within this time is the same request, and adds no second touch."""


async def evaluate_hint(
    session: Session, opened: FirstOpen, hint: ReferralHint, *, tokens: Tokens
) -> EvaluatedHint:
    """Return what a hint leads to; only a link with a code is recorded here, as a click."""
    if hint.token is not None:
        return await _evaluate_token(session, opened, hint, token=hint.token, tokens=tokens)
    if hint.code is not None:
        return await _evaluate_code(session, opened, hint.method, hint.code)
    return EvaluatedHint(method=hint.method, refusal=hint.refusal)


async def _evaluate_token(
    session: ReadSession, opened: FirstOpen, hint: ReferralHint, *, token: str, tokens: Tokens
) -> EvaluatedHint:
    reading = tokens.read(token, at=opened.at)
    unread = EvaluatedHint(method=hint.method, text=token, evidence=install_evidence(hint, None))
    if reading.subject is None or reading.refusal is not None:
        return replace(unread, refusal=reading.refusal or Refusal.FORGED_TOKEN)
    if reading.method is Method.PROBABILISTIC:
        # Its subject is a touch that only a person's answer can make count.
        return replace(unread, refusal=Refusal.NOT_ACCEPTED)
    row = await session.get(ReferralRow, reading.subject)
    if row is None:
        return replace(unread, refusal=Refusal.UNKNOWN_REFERRAL)
    method, rule = weaker_method(hint.method, reading.method), _broken_rule(opened, hint, row)
    refusal = (
        Refusal.CLICK_INJECTION
        if rule
        else await _refusal_of_invitation(session, opened, row, method)
    )
    evidence = install_evidence(hint, rule)
    return replace(unread, method=method, referral=row, refusal=refusal, evidence=evidence)


def _broken_rule(opened: FirstOpen, hint: ReferralHint, row: ReferralRow) -> str | None:
    if hint.install is None:
        return None
    return first_broken_rule(hint.install, invited_at=row.invited_at, now=opened.at)


async def _refusal_of_invitation(
    session: ReadSession, opened: FirstOpen, row: ReferralRow, method: Method
) -> Refusal | None:
    """Return why an invitation no longer invites; a used one does while its campaign is open."""
    if row.stage is Stage.EXPIRED or opened.at >= expires_at_of(row):
        return Refusal.EXPIRED_TOKEN
    offer = await offers.find(session, row.code)
    if offer is None:
        return Refusal.UNKNOWN_CODE
    if offer.policy.rank_of(method) is None:
        return Refusal.NOT_ACCEPTED
    return None if row.stage is Stage.INVITED else refusal_of_offer(offer, at=opened.at)


async def _evaluate_code(
    session: Session, opened: FirstOpen, method: Method, code: str
) -> EvaluatedHint:
    """Follow a code: opening the app by a link, or giving it one, is a click made by the device."""
    evaluated = EvaluatedHint(method=method, text=code, code=code)
    offer = await offers.find(session, code)
    if offer is not None and offer.policy.rank_of(method) is None:
        return replace(evaluated, refusal=Refusal.NOT_ACCEPTED)
    refusal = refusal_of_offer(offer, at=opened.at)
    if refusal is not None:
        return replace(evaluated, refusal=refusal)
    referral_id = await _find_recent_invitation(session, opened, method, code)
    if referral_id is None:
        referral_id = await _follow(session, opened, method, code)
    row = await session.get_one(ReferralRow, referral_id)
    return replace(evaluated, referral=row, is_recorded=True)


async def _follow(session: Session, opened: FirstOpen, method: Method, code: str) -> UUID:
    click = Click(
        code=code,
        visitor=opened.visitor,
        platform=opened.platform,
        at=opened.at,
        method=method,
        device_traits=opened.device_traits,
        ip=opened.ip,
        user_agent=opened.user_agent,
        device_id=opened.device_id,
    )
    result = await follow_code(SessionClicks(session), click)
    if result.referral_id is None:
        raise LookupError(f"code {code} has closed while it was followed")
    return result.referral_id


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
    return row.id if row is not None and opened.at < expires_at_of(row) else None
