"""An app's first open: what it found is written down, and answered with the best that holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func, select, text

from db.engine import ReadSession, Session
from domain.attribution.policy import Method, Refusal
from referrals.attribution.first_open import evaluate as finds
from referrals.attribution.first_open.probabilistic_match import guess
from referrals.attribution.first_open.touches import (
    EvaluatedHint,
    FirstOpen,
    Resolved,
    resolved,
    write,
)
from referrals.attribution.tokens import Tokens

NO_MATCH_AFTER: Final = frozenset({Refusal.CLICK_INJECTION, Refusal.FORGED_TOKEN})
"""Whoever tampers is not helped along; a link that is merely old may be a friend's."""

# Written out, because the index is of this expression and of signups alone.
SELECT_PLAYER_OF_DEVICE: Final = text("""
    select player_id from facts where kind = 'signup' and body ->> 'device_id' = :device_id
    order by occurred_at limit 1
""")


@dataclass(frozen=True, slots=True)
class Answer:
    """Who brought the app's person, if that is known, and what was refused on the way."""

    resolved: Resolved | None = None
    refused: tuple[tuple[Method, Refusal], ...] = ()


async def resolve(session: Session, opened: FirstOpen, *, tokens: Tokens) -> Answer:
    """The first find that holds, or else a guess; asked again, the same answer."""
    await _alone(session, opened.visitor)
    player_id = await _player_of(session, opened.device_id)
    if player_id is not None:
        return await _refuse_reinstall(session, replace(opened, player_id=player_id))
    judged = [await finds.judge(session, opened, f, tokens=tokens) for f in opened.finds]
    await _write(session, opened, judged)
    best = next((found for one in judged if (found := resolved(one)) is not None), None)
    if best is not None or any(one.refusal in NO_MATCH_AFTER for one in judged):
        return Answer(best, _refused(judged))
    guessed = await guess(session, opened)
    if isinstance(guessed, Refusal):
        judged.append(EvaluatedHint(method=Method.PROBABILISTIC, refusal=guessed))
        guessed = None
    return Answer(guessed, _refused(judged))


async def _alone(session: Session, visitor: str) -> None:
    """The same request at the same time waits, and then finds what the other has written."""
    key = func.hashtextextended(f"first open:{visitor}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def _player_of(session: ReadSession, device_id: str | None) -> str | None:
    """Who signed up from this device, if anybody did."""
    if device_id is None:
        return None
    player_id: str | None = await session.scalar(SELECT_PLAYER_OF_DEVICE, {"device_id": device_id})
    return player_id


async def _refuse_reinstall(session: Session, opened: FirstOpen) -> Answer:
    """A player's own device brings nobody new, whatever it found."""
    refusal = Refusal.EXISTING_PLAYER
    judged = [
        EvaluatedHint(method=find.method, text=find.token or find.code or "", refusal=refusal)
        for find in opened.finds
    ] or [EvaluatedHint(method=Method.PROBABILISTIC, refusal=refusal)]
    await _write(session, opened, judged)
    return Answer(None, _refused(judged))


async def _write(session: Session, opened: FirstOpen, judged: Sequence[EvaluatedHint]) -> None:
    for one in judged:
        if not one.is_recorded:
            await write(session, opened, one)


def _refused(judged: Iterable[EvaluatedHint]) -> tuple[tuple[Method, Refusal], ...]:
    return tuple((one.method, one.refusal) for one in judged if one.refusal is not None)
