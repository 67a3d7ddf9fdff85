"""Which invitation an app that found nothing may continue, by its network and its device."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion, ReferralRow, TouchRow
from domain.attribution.matching import Candidate, Match, match
from domain.attribution.policy import Method, Policy, Refusal
from domain.lifecycle.referral import Stage
from referrals.attribution import touches
from referrals.attribution.first_open.evaluate import RETRY_WINDOW
from referrals.attribution.first_open.touches import (
    EvaluatedHint,
    FirstOpen,
    Resolved,
    invitation_expires_at,
    touch_id,
    write,
)
from referrals.campaigns.versions import IS_CURRENT_VERSION, policy_from

MAX_MATCH_WINDOW: Final = timedelta(days=7)
"""However long a campaign's `match_window` is."""
MAX_CLICKS: Final = 500
"""Looked at, the latest first, behind one network."""
_BROWSER_CLICKS: Final = (Method.REFERRAL_TOKEN, Method.QR_CODE)
"""Of a browser; an app that was opened by a link knows it."""

Guess = Resolved | Refusal | None


async def guess(session: Session, opened: FirstOpen) -> Guess:
    """An unconfirmed match; AMBIGUOUS where several codes fit.

    The same device is asked the same again. Without a device each request is a question of its
    own, because phones that look alike may belong to two people.
    """
    asked = await _find_recent_match(session, opened) if opened.device_id else None
    if asked is not None:
        touch, referral = asked
        if await _is_declined(session, touch.id):
            return None
        return _unconfirmed(touch.id, touch.confidence, referral)
    nearby = await _load_nearby_clicks(session, opened)
    found = match([candidate for candidate, _, _ in nearby], opened.signals, now=opened.at)
    if isinstance(found, Refusal):
        return await _ambiguous(session, opened, nearby, found)
    if found is None:
        return None
    return await _written(session, opened, found, nearby)


Nearby = Sequence[tuple[Candidate, ReferralRow, Policy]]


async def _is_declined(session: ReadSession, match_id: UUID) -> bool:
    """Who said no is not asked again."""
    _, answer = await touches.load_match_and_answer(session, match_id)
    return answer is not None and not answer.is_confirmed


async def _find_recent_match(
    session: ReadSession, opened: FirstOpen
) -> tuple[TouchRow, ReferralRow] | None:
    query = (
        select(TouchRow, ReferralRow)
        .join(ReferralRow, TouchRow.referral_id == ReferralRow.id)
        .where(
            TouchRow.visitor == opened.visitor,
            TouchRow.method == Method.PROBABILISTIC,
            TouchRow.answers_touch_id.is_(None),
            TouchRow.at > opened.at - RETRY_WINDOW,
            ReferralRow.stage == Stage.INVITED,
        )
        .order_by(TouchRow.at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).one_or_none()
    return (
        (row[0], row[1]) if row is not None and opened.at < invitation_expires_at(row[1]) else None
    )


async def _load_nearby_clicks(session: ReadSession, opened: FirstOpen) -> Nearby:
    if opened.ip is None:
        return ()
    query = (
        select(TouchRow, ReferralRow, CampaignVersion.attribution)
        .join(ReferralRow, TouchRow.referral_id == ReferralRow.id)
        .join(Campaign, Campaign.id == ReferralRow.campaign_id)
        .join(CampaignVersion, IS_CURRENT_VERSION)
        .where(
            TouchRow.ip == opened.ip,
            TouchRow.at > opened.at - MAX_MATCH_WINDOW,
            TouchRow.method.in_(_BROWSER_CLICKS),
            TouchRow.refusal.is_(None),
            TouchRow.answers_touch_id.is_(None),
            ReferralRow.stage == Stage.INVITED,
        )
        .order_by(TouchRow.at.desc())
        .limit(MAX_CLICKS)
    )
    rows = [(touch, row, policy_from(said)) for touch, row, said in await session.execute(query)]
    return [
        (_candidate(touch, row, policy), row, policy)
        for touch, row, policy in rows
        if opened.at < invitation_expires_at(row)
    ]


def _candidate(touch: TouchRow, row: ReferralRow, policy: Policy) -> Candidate:
    return Candidate(
        referral_id=row.id,
        code=row.code,
        clicked_at=touch.at,
        match_window=policy.match_window,
        signals=touch.device_traits,
    )


async def _written(
    session: Session, opened: FirstOpen, found: Match, nearby: Nearby
) -> Resolved | None:
    known = {row.id: (row, policy) for _, row, policy in nearby}
    referral, policy = known[found.candidate.referral_id]
    if policy.rank_of(Method.PROBABILISTIC) is None:
        return None
    judged = EvaluatedHint(
        method=Method.PROBABILISTIC,
        text=str(referral.id) if opened.device_id else f"{referral.id}\n{uuid4()}",
        referral=referral,
        confidence=found.confidence,
        # It counts only through the answer to it.
        refusal=Refusal.UNCONFIRMED,
        evidence={"agreed": list(found.agreed)},
    )
    if await _is_declined(session, touch_id(opened, judged)):
        return None
    return _unconfirmed(await write(session, opened, judged), found.confidence, referral)


async def _ambiguous(
    session: Session, opened: FirstOpen, nearby: Nearby, refusal: Refusal
) -> Refusal:
    codes = sorted({candidate.code for candidate, _, _ in nearby})
    judged = EvaluatedHint(
        method=Method.PROBABILISTIC,
        text="\n".join(codes),
        confidence=0.0,
        refusal=refusal,
        evidence={"codes": codes},
    )
    await write(session, opened, judged)
    return refusal


def _unconfirmed(touch_id_: UUID, confidence: float, referral: ReferralRow) -> Resolved:
    return Resolved(
        subject=touch_id_,
        method=Method.PROBABILISTIC,
        code=referral.code,
        confidence=confidence,
        expires_at=invitation_expires_at(referral),
    )
