"""Confirming a match: the person's answer to who invited them; only a yes makes a match count."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import select

from db.engine import ReadSession, Session
from db.locks import lock_players
from db.tables import ReferralRow, TouchRow
from domain.attribution.policy import Method, Refusal
from domain.derived_ids import derived_id
from referrals.attribution.claims import redecide
from referrals.attribution.log import (
    WAITING,
    AttemptKind,
    AttemptResult,
    AttributionAttempt,
    attempt_id_of,
    record_attempt,
)
from referrals.attribution.match_answers import load_match_and_answer, lock_match
from referrals.attribution.tokens import Tokens
from referrals.attribution.touches import NewTouch, record_touch


class ConfirmOutcome(StrEnum):
    """The outcome of answering a match."""

    RECORDED = "heard"
    ANSWERED_OTHERWISE = "otherwise_before"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ConfirmResult:
    """The outcome of an answer, and the code that was asked about, unless it is unknown."""

    outcome: ConfirmOutcome
    code: str | None = None


async def record_answer(
    session: Session, touch_id: UUID, *, is_confirmed: bool, now: datetime
) -> ConfirmResult:
    """Record the answer to a match once; a second answer, equal or not, changes nothing."""
    await lock_match(session, touch_id)
    match, before = await load_match_and_answer(session, touch_id)
    if match is None or match.method is not Method.PROBABILISTIC:
        return ConfirmResult(ConfirmOutcome.UNKNOWN)
    if before is not None:
        is_same = before.is_confirmed is is_confirmed
        outcome = ConfirmOutcome.RECORDED if is_same else ConfirmOutcome.ANSWERED_OTHERWISE
        return ConfirmResult(outcome, match.code)
    await record_touch(session, _answer_touch(match, is_confirmed=is_confirmed, now=now))
    attempt_id = attempt_id_of(AttemptKind.CONFIRM, match.id)
    attempt = AttributionAttempt(attempt_id=attempt_id, kind=AttemptKind.CONFIRM)
    result = AttemptResult(WAITING if is_confirmed else Refusal.DECLINED)
    await record_attempt(session, attempt, result)
    return ConfirmResult(ConfirmOutcome.RECORDED, match.code)


async def bind_presenters(
    session: Session, touch_id: UUID, *, tokens: Tokens, now: datetime
) -> str:
    """Bind the players whose signups presented a match before it was confirmed.

    Returns the outcome of the first of them, WAITING without any. It needs a transaction after
    that of `record_answer`: a signup locks its player and then the match, which would deadlock.
    """
    outcomes = []
    presenters = await _load_presenters(session, touch_id)
    # All at once and first: each of them may be on its way to wait for the match.
    await lock_players(session, *(presenter.player_id or "" for presenter in presenters))
    for presenter in presenters:
        result = await _redecide_for(session, touch_id, presenter, tokens=tokens, now=now)
        outcomes.append(result.outcome)
    return outcomes[0] if outcomes else WAITING


async def find_invitation_code(session: ReadSession, referral_id: UUID) -> str | None:
    """Return the code of an invitation, or None where no referral has this id."""
    return await session.scalar(select(ReferralRow.code).where(ReferralRow.id == referral_id))


def _answer_touch(match: TouchRow, *, is_confirmed: bool, now: datetime) -> NewTouch:
    return NewTouch(
        id=derived_id(match.id, "answer"),
        method=Method.PROBABILISTIC,
        confidence=match.confidence,
        at=now,
        code=match.code,
        campaign_slug=match.campaign_slug,
        visitor=match.visitor,
        refusal=None if is_confirmed else Refusal.DECLINED,
        answers_touch_id=match.id,
        is_confirmed=is_confirmed,
    )


async def _load_presenters(session: ReadSession, touch_id: UUID) -> list[TouchRow]:
    query = select(TouchRow).where(
        TouchRow.answers_touch_id == touch_id, TouchRow.player_id.is_not(None)
    )
    return list(await session.scalars(query.order_by(TouchRow.player_id, TouchRow.id)))


async def _redecide_for(
    session: Session, touch_id: UUID, presenter: TouchRow, *, tokens: Tokens, now: datetime
) -> AttemptResult:
    player_id, kind = presenter.player_id or "", AttemptKind.CONFIRM
    attempt_id = attempt_id_of(kind, uuid5(touch_id, player_id))
    attempt = AttributionAttempt(attempt_id=attempt_id, kind=kind, player_id=player_id)
    return await redecide(session, player_id, touch_id, attempt, tokens=tokens, now=now)
