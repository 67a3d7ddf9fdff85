"""Probabilistic match: a first open and a click behind the same network on a fitting device."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion, ReferralRow, TouchRow
from domain.attribution.click_matching import Match, RecentClick, match_click
from domain.attribution.policy import Method, Policy, Refusal
from domain.lifecycle.referral import Stage
from referrals.attribution.first_open.evaluate import RETRY_WINDOW
from referrals.attribution.first_open.hints import (
    EvaluatedHint,
    FirstOpen,
    ResolvedInvitation,
    derive_touch_id,
    expires_at_of,
    record_hint,
)
from referrals.attribution.match_answers import load_match_and_answer
from referrals.campaigns.versions import IS_CURRENT_VERSION, policy_from

MAX_MATCH_WINDOW: Final = timedelta(days=7)
"""Age of the oldest click looked at, however long a campaign's `match_window` is."""
MAX_CLICKS: Final = 500
"""Clicks looked at behind one network, the latest first."""
_BROWSER_CLICKS: Final = (Method.REFERRAL_TOKEN, Method.QR_CODE)
"""Methods of a browser's click; an app that was opened by a link has its token."""

MatchResult = ResolvedInvitation | Refusal | None
NearbyClicks = Sequence[tuple[RecentClick, ReferralRow, Policy]]


async def find_match(session: Session, opened: FirstOpen) -> MatchResult:
    """Return an unconfirmed match, AMBIGUOUS where several codes fit, or None.

    A known device gets the same match again. Without a device id each request gets a match of its
    own, because phones that look alike may belong to two people.
    """
    earlier = await _find_recent_match(session, opened) if opened.device_id else None
    if earlier is not None:
        touch, referral = earlier
        if await _is_declined(session, touch.id):
            return None
        return _unconfirmed(touch.id, touch.confidence, referral)
    nearby = await _load_nearby_clicks(session, opened)
    clicks = [click for click, _, _ in nearby]
    match = match_click(clicks, opened.device_traits, now=opened.at)
    if isinstance(match, Refusal):
        return await _record_ambiguous_match(session, opened, nearby, match)
    if match is None:
        return None
    return await _record_match(session, opened, match, nearby)


async def _is_declined(session: ReadSession, match_id: UUID) -> bool:
    """Return whether the person said no: they are not asked again."""
    _, answer = await load_match_and_answer(session, match_id)
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
    return (row[0], row[1]) if row is not None and opened.at < expires_at_of(row[1]) else None


async def _load_nearby_clicks(session: ReadSession, opened: FirstOpen) -> NearbyClicks:
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
    rows = [
        (touch, row, policy_from(policy_json))
        for touch, row, policy_json in await session.execute(query)
    ]
    return [
        (_recent_click(touch, row, policy), row, policy)
        for touch, row, policy in rows
        if opened.at < expires_at_of(row)
    ]


def _recent_click(touch: TouchRow, row: ReferralRow, policy: Policy) -> RecentClick:
    return RecentClick(
        referral_id=row.id,
        code=row.code,
        clicked_at=touch.at,
        match_window=policy.match_window,
        device_traits=touch.device_traits,
    )


async def _record_match(
    session: Session, opened: FirstOpen, match: Match, nearby: NearbyClicks
) -> ResolvedInvitation | None:
    known = {row.id: (row, policy) for _, row, policy in nearby}
    referral, policy = known[match.click.referral_id]
    if policy.rank_of(Method.PROBABILISTIC) is None:
        return None
    evaluated = EvaluatedHint(
        method=Method.PROBABILISTIC,
        text=str(referral.id) if opened.device_id else f"{referral.id}\n{uuid4()}",
        referral=referral,
        confidence=match.confidence,
        # It counts only through the answer to it.
        refusal=Refusal.UNCONFIRMED,
        evidence={"agreed": list(match.agreeing_traits)},
    )
    if await _is_declined(session, derive_touch_id(opened, evaluated)):
        return None
    touch_id = await record_hint(session, opened, evaluated)
    return _unconfirmed(touch_id, match.confidence, referral)


async def _record_ambiguous_match(
    session: Session, opened: FirstOpen, nearby: NearbyClicks, refusal: Refusal
) -> Refusal:
    codes = sorted({click.code for click, _, _ in nearby})
    evaluated = EvaluatedHint(
        method=Method.PROBABILISTIC,
        text="\n".join(codes),
        confidence=0.0,
        refusal=refusal,
        evidence={"codes": codes},
    )
    await record_hint(session, opened, evaluated)
    return refusal


def _unconfirmed(touch_id: UUID, confidence: float, referral: ReferralRow) -> ResolvedInvitation:
    return ResolvedInvitation(
        subject=touch_id,
        method=Method.PROBABILISTIC,
        code=referral.code,
        confidence=confidence,
        expires_at=expires_at_of(referral),
    )
