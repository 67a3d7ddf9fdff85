"""The attribution log as it is shown, and each decision made again from what was written then."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import aliased

from db.engine import ReadSession
from db.tables import AttemptRow, FactRow
from domain.attribution.policy import Attribution, Method, Unattributed
from domain.intake.facts import FactKind, Signup
from referrals.attribution.log import (
    ATTRIBUTED,
    BOUND,
    SELF,
    Attempt,
    agrees,
    has_attributed,
    replay_decision,
)
from referrals.intake import facts

MAX_REPLAYED: Final = 20_000
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A touch that was weighed; `outcome` is 'won', or why it does not count."""

    touch_id: UUID
    method: Method
    confidence: float
    code: str | None
    campaign: str | None
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    attempt_id: str
    attempt: Attempt
    player_id: str | None
    outcome: str
    referral_id: UUID | None
    actor: str | None
    reason: str | None
    decided_at: datetime
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What deciding again from the stored touches and policy gives."""

    outcome: str
    code: str | None
    agrees: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a page of the log ended."""

    at: datetime
    attempt_id: str


async def listing(
    session: ReadSession,
    *,
    player_id: str | None,
    referral_id: UUID | None,
    outcome: str | None,
    limit: int,
    after: Cut | None,
) -> tuple[Sequence[AttemptView], Cut | None]:
    """Newest first, and where the next page starts."""
    query = _filtered(player_id, referral_id, outcome)
    place = tuple_(AttemptRow.decided_at, AttemptRow.attempt_id)
    if after is not None:
        query = query.where(place < (after.at, after.attempt_id))
    order = (AttemptRow.decided_at.desc(), AttemptRow.attempt_id.desc())
    rows = (await session.scalars(query.order_by(*order).limit(limit + 1))).all()
    shown = [_view(row) for row in rows[:limit]]
    more = len(rows) > limit
    return shown, Cut(shown[-1].decided_at, shown[-1].attempt_id) if more else None


async def one(session: ReadSession, attempt_id: str) -> tuple[AttemptView, Replay | None] | None:
    """An attempt, and the same decision again; None of the latter where nothing was decided."""
    row = await session.get(AttemptRow, attempt_id)
    if row is None:
        return None
    return _view(row), await replay(session, row)


async def replay(session: ReadSession, row: AttemptRow) -> Replay | None:
    """Decide again from what was stored; None for what was not decided from touches."""
    if row.player_id is None or row.signed_up_at is None or not row.touches:
        return None
    heard = await facts.facts_of_player(session, row.player_id, FactKind.SIGNUP)
    signups = [fact for fact in heard if isinstance(fact, Signup)]
    signup = next((s for s in signups if s.occurred_at == row.signed_up_at), None)
    if signup is None:
        return None
    verdict = replay_decision(row, signup)
    return Replay(
        outcome=_outcome(verdict),
        code=verdict.winner.code if isinstance(verdict, Attribution) else None,
        agrees=agrees(row, verdict),
    )


async def find_contradictions(session: ReadSession) -> list[str]:
    """Attempts that would be decided otherwise today, among the newest."""
    signup = aliased(FactRow)
    query = (
        select(AttemptRow, signup.body)
        .join(
            signup,
            (signup.player_id == AttemptRow.player_id)
            & (signup.kind == FactKind.SIGNUP)
            & (signup.occurred_at == AttemptRow.signed_up_at),
        )
        .order_by(AttemptRow.decided_at.desc())
        .limit(MAX_REPLAYED)
    )
    found = []
    async for row, body in await session.stream(query.execution_options(yield_per=AT_ONCE)):
        heard = facts.fact_of(FactKind.SIGNUP, body)
        if isinstance(heard, Signup) and not agrees(row, replay_decision(row, heard)):
            found.append(row.attempt_id)
    return found


async def touches_by_referral(
    session: ReadSession, referral_ids: Iterable[UUID]
) -> dict[UUID, tuple[Candidate, ...]]:
    """What was weighed when each referral was bound."""
    rows = await session.scalars(
        select(AttemptRow)
        .where(AttemptRow.referral_id.in_(referral_ids))
        .where(AttemptRow.outcome.in_(ATTRIBUTED))
        .order_by(AttemptRow.decided_at)
    )
    found: dict[UUID, tuple[Candidate, ...]] = defaultdict(tuple)
    for row in rows:
        if row.referral_id is not None and has_attributed(row):
            found[row.referral_id] = touch_views(row)
    return found


def touch_views(row: AttemptRow) -> tuple[Candidate, ...]:
    return tuple(_candidate(told) for told in row.touches)


def _candidate(told: dict[str, Any]) -> Candidate:
    return Candidate(
        touch_id=UUID(told["touch_id"]),
        method=Method(told["method"]),
        confidence=told["confidence"],
        code=told.get("code"),
        campaign=told.get("campaign"),
        at=datetime.fromisoformat(told["at"]),
        outcome=told.get("outcome") or "not_weighed",
    )


def _filtered(
    player_id: str | None, referral_id: UUID | None, outcome: str | None
) -> Select[AttemptRow]:
    wanted = (
        (player_id, AttemptRow.player_id == player_id),
        (referral_id, AttemptRow.referral_id == referral_id),
        (outcome, AttemptRow.outcome == outcome),
    )
    return select(AttemptRow).where(*(test for value, test in wanted if value is not None))


def _view(row: AttemptRow) -> AttemptView:
    return AttemptView(
        attempt_id=row.attempt_id,
        attempt=Attempt(row.attempt),
        player_id=row.player_id,
        outcome=row.outcome,
        referral_id=row.referral_id,
        actor=row.actor,
        reason=row.reason,
        decided_at=row.decided_at,
        candidates=touch_views(row),
    )


def _outcome(verdict: Attribution | Unattributed) -> str:
    if isinstance(verdict, Unattributed):
        return verdict.reason
    return SELF if verdict.is_self else BOUND
