"""What a person answers when asked who invited them; a match counts only through a yes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import select

from db import locks
from db.engine import ReadSession, Session
from db.tables import ReferralRow, TouchRow
from domain.attribution.policy import Method, Refusal
from referrals.attribution import log as attributions
from referrals.attribution import reattribution as rebinding
from referrals.attribution import touches
from referrals.attribution.log import WAITING, Attempt, Binding, Entry
from referrals.attribution.tokens import Tokens
from referrals.attribution.touches import NewTouch


class Said(StrEnum):
    """What became of an answer."""

    HEARD = "heard"
    ANSWERED_OTHERWISE = "otherwise_before"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heard:
    said: Said
    code: str | None = None


async def hear(session: Session, touch_id: UUID, *, confirmed: bool, now: datetime) -> Heard:
    """Write the answer to a match once; the same again changes nothing, nor does the opposite."""
    await touches.alone(session, touch_id)
    match, before = await touches.load_match_and_answer(session, touch_id)
    if match is None or match.method is not Method.PROBABILISTIC:
        return Heard(Said.UNKNOWN)
    if before is not None:
        is_same = before.is_confirmed is confirmed
        return Heard(Said.HEARD if is_same else Said.ANSWERED_OTHERWISE, match.code)
    await touches.record(session, _answer(match, confirmed=confirmed, now=now))
    entry = Entry(attempt_id=f"{Attempt.CONFIRM}:{match.id}", attempt=Attempt.CONFIRM)
    await attributions.log(session, entry, Binding(WAITING if confirmed else Refusal.DECLINED))
    return Heard(Said.HEARD, match.code)


async def bind_presenters(
    session: Session, touch_id: UUID, *, tokens: Tokens, now: datetime
) -> str:
    """Bind the players whose signups came with a match before it was confirmed.

    Answers the outcome of the first of them, WAITING without any. It is a transaction of its own,
    after `hear`: a signup locks its player and then the match, and would wait for us in a circle.
    """
    outcomes = []
    presenters = await _presented(session, touch_id)
    # All at once and first: each of them may be on its way to wait for the match.
    await locks.lock_players(session, *(presented.player_id or "" for presented in presenters))
    for presented in presenters:
        binding = await _bind(session, touch_id, presented, tokens=tokens, now=now)
        outcomes.append(binding.outcome)
    return outcomes[0] if outcomes else WAITING


async def invited_by(session: ReadSession, referral_id: UUID) -> str | None:
    """The code of an invitation, if there is such a one."""
    return await session.scalar(select(ReferralRow.code).where(ReferralRow.id == referral_id))


def _answer(match: TouchRow, *, confirmed: bool, now: datetime) -> NewTouch:
    return NewTouch(
        id=uuid5(match.id, "answer"),
        method=Method.PROBABILISTIC,
        confidence=match.confidence,
        at=now,
        code=match.code,
        campaign_slug=match.campaign_slug,
        visitor=match.visitor,
        refusal=None if confirmed else Refusal.DECLINED,
        answers_touch_id=match.id,
        is_confirmed=confirmed,
    )


async def _presented(session: ReadSession, touch_id: UUID) -> list[TouchRow]:
    query = select(TouchRow).where(
        TouchRow.answers_touch_id == touch_id, TouchRow.player_id.is_not(None)
    )
    return list(await session.scalars(query.order_by(TouchRow.player_id, TouchRow.id)))


async def _bind(
    session: Session, touch_id: UUID, presented: TouchRow, *, tokens: Tokens, now: datetime
) -> Binding:
    player_id, attempt = presented.player_id or "", Attempt.CONFIRM
    attempt_id = f"{attempt}:{uuid5(touch_id, player_id)}"
    entry = Entry(attempt_id=attempt_id, attempt=attempt, player_id=player_id)
    return await rebinding.redecide(session, player_id, touch_id, entry, tokens=tokens, now=now)
