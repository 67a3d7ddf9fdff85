"""Resolving an app's first open: every hint is recorded, and the best that holds is returned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession, Session
from db.locks import lock_key
from domain.attribution.policy import Method, Refusal
from referrals.attribution.first_open.click_match import find_match
from referrals.attribution.first_open.evaluate import evaluate_hint
from referrals.attribution.first_open.hints import (
    EvaluatedHint,
    FirstOpen,
    ResolvedInvitation,
    record_hint,
    resolve_hint,
)
from referrals.attribution.tokens import Tokens

NO_MATCH_AFTER: Final = frozenset({Refusal.CLICK_INJECTION, Refusal.FORGED_TOKEN})
"""Refusals after which no match is looked for: they are signs of tampering."""

# Written out, because the index is of this expression and of signups alone.
SELECT_PLAYER_OF_DEVICE: Final = text("""
    select player_id from facts where kind = 'signup' and body ->> 'device_id' = any(:device_ids)
    order by occurred_at limit 1
""")


@dataclass(frozen=True, slots=True)
class FirstOpenResult:
    """The invitation that brought the app's person, if any holds, and the hints refused."""

    resolved: ResolvedInvitation | None = None
    refused: tuple[tuple[Method, Refusal], ...] = ()


async def resolve_first_open(
    session: Session, opened: FirstOpen, *, tokens: Tokens
) -> FirstOpenResult:
    """Return the first hint that holds, or else a match; a repeat gets the same result."""
    # An equal request at the same time waits, and then finds what this one has recorded.
    await lock_key(session, f"first open:{opened.visitor}")
    player_id = await _find_player_of_device(session, opened)
    if player_id is not None:
        return await _refuse_reinstall(session, replace(opened, player_id=player_id))
    evaluated = [await evaluate_hint(session, opened, h, tokens=tokens) for h in opened.hints]
    await _record_hints(session, opened, evaluated)
    best = next((found for one in evaluated if (found := resolve_hint(one)) is not None), None)
    if best is not None or any(one.refusal in NO_MATCH_AFTER for one in evaluated):
        return FirstOpenResult(best, _refusals(evaluated))
    match = await find_match(session, opened)
    if isinstance(match, Refusal):
        evaluated.append(EvaluatedHint(method=Method.PROBABILISTIC, refusal=match))
        match = None
    return FirstOpenResult(match, _refusals(evaluated))


async def _find_player_of_device(session: ReadSession, opened: FirstOpen) -> str | None:
    if opened.device_id is None:
        return None
    hashes = {"device_ids": [opened.device_id, *opened.earlier_device_ids]}
    player_id: str | None = await session.scalar(SELECT_PLAYER_OF_DEVICE, hashes)
    return player_id


async def _refuse_reinstall(session: Session, opened: FirstOpen) -> FirstOpenResult:
    """Refuse every hint: a player's own device brings nobody new."""
    refusal = Refusal.EXISTING_PLAYER
    evaluated = [
        EvaluatedHint(method=hint.method, text=hint.token or hint.code or "", refusal=refusal)
        for hint in opened.hints
    ] or [EvaluatedHint(method=Method.PROBABILISTIC, refusal=refusal)]
    await _record_hints(session, opened, evaluated)
    return FirstOpenResult(None, _refusals(evaluated))


async def _record_hints(
    session: Session, opened: FirstOpen, evaluated: Sequence[EvaluatedHint]
) -> None:
    for one in evaluated:
        if not one.is_recorded:
            await record_hint(session, opened, one)


def _refusals(evaluated: Iterable[EvaluatedHint]) -> tuple[tuple[Method, Refusal], ...]:
    return tuple((one.method, one.refusal) for one in evaluated if one.refusal is not None)
