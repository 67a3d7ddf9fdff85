"""Views of the attribution log, with each decision replayed from what was stored."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import aliased

from db.engine import ReadSession
from db.tables import AttemptRow, FactRow
from domain.attribution.decision import Attribution, AttributionDecision, Unattributed
from domain.attribution.policy import Method
from domain.intake.facts import FactKind, Signup
from referrals.attribution.log import (
    ATTRIBUTED_OUTCOMES,
    BOUND,
    SELF,
    AttemptKind,
    agrees_with_log,
    has_attributed,
    replay_decision,
)
from referrals.intake import facts

MAX_REPLAYED: Final = 20_000
"""Attempts that one search for contradictions replays, the newest first."""
STREAM_BATCH_ROWS: Final = 500
"""Rows held in memory at a time by that search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchView:
    """A touch of an attempt; `outcome` is 'won', or why it does not count."""

    touch_id: UUID
    method: Method
    confidence: float
    code: str | None
    campaign: str | None
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The decision made again from the stored touches and policy."""

    outcome: str
    code: str | None
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """An attempt with its result and its touches."""

    attempt_id: str
    attempt: AttemptKind
    player_id: str | None
    outcome: str
    referral_id: UUID | None
    actor: str | None
    reason: str | None
    decided_at: datetime
    candidates: tuple[TouchView, ...]
    decided_again: Replay | None = None
    """Read for a single attempt only; None where nothing was decided from touches."""


@dataclass(frozen=True, slots=True)
class AttemptPosition:
    """The position of a page's last attempt in the log."""

    at: datetime
    attempt_id: str


async def list_attempts(
    session: ReadSession,
    *,
    player_id: str | None,
    referral_id: UUID | None,
    outcome: str | None,
    limit: int,
    after: AttemptPosition | None,
) -> tuple[Sequence[AttemptView], AttemptPosition | None]:
    """Return a page of attempts, newest first, and the position after which the next one starts."""
    query = _select_attempts(player_id, referral_id, outcome)
    position = tuple_(AttemptRow.decided_at, AttemptRow.attempt_id)
    if after is not None:
        query = query.where(position < (after.at, after.attempt_id))
    order = (AttemptRow.decided_at.desc(), AttemptRow.attempt_id.desc())
    rows = (await session.scalars(query.order_by(*order).limit(limit + 1))).all()
    shown = [_attempt_view(row) for row in rows[:limit]]
    more = len(rows) > limit
    return shown, AttemptPosition(shown[-1].decided_at, shown[-1].attempt_id) if more else None


async def find_attempt(session: ReadSession, attempt_id: str) -> AttemptView | None:
    """Return an attempt with its replayed decision."""
    row = await session.get(AttemptRow, attempt_id)
    if row is None:
        return None
    return replace(_attempt_view(row), decided_again=await replay(session, row))


async def replay(session: ReadSession, row: AttemptRow) -> Replay | None:
    """Decide an attempt again; None for one that was not decided from touches."""
    if row.player_id is None or row.signed_up_at is None or not row.touches:
        return None
    facts_of_player = await facts.facts_of_player(session, row.player_id, FactKind.SIGNUP)
    signups = [fact for fact in facts_of_player if isinstance(fact, Signup)]
    signup = next((s for s in signups if s.occurred_at == row.signed_up_at), None)
    if signup is None:
        return None
    decision = replay_decision(row, signup)
    return Replay(
        outcome=_outcome(decision),
        code=decision.winner.code if isinstance(decision, Attribution) else None,
        agrees=agrees_with_log(row, decision),
    )


async def find_contradictions(session: ReadSession, *, since: datetime | None = None) -> list[str]:
    """Return the ids of attempts whose replay differs from the log, among the newest.

    With `since`, only attempts decided since then are replayed.
    """
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
    if since is not None:
        query = query.where(AttemptRow.decided_at >= since)
    found = []
    async for row, body in await session.stream(
        query.execution_options(yield_per=STREAM_BATCH_ROWS)
    ):
        fact = facts.fact_of(FactKind.SIGNUP, body)
        if isinstance(fact, Signup) and not agrees_with_log(row, replay_decision(row, fact)):
            found.append(row.attempt_id)
    return found


async def touches_by_referral(
    session: ReadSession, referral_ids: Iterable[UUID]
) -> dict[UUID, tuple[TouchView, ...]]:
    """Return the touches that were decided between when each referral was bound."""
    rows = await session.scalars(
        select(AttemptRow)
        .where(AttemptRow.referral_id.in_(referral_ids))
        .where(AttemptRow.outcome.in_(ATTRIBUTED_OUTCOMES))
        .order_by(AttemptRow.decided_at)
    )
    found: dict[UUID, tuple[TouchView, ...]] = defaultdict(tuple)
    for row in rows:
        if row.referral_id is not None and has_attributed(row):
            found[row.referral_id] = touch_views(row)
    return found


def touch_views(row: AttemptRow) -> tuple[TouchView, ...]:
    return tuple(_touch_view(touch_json) for touch_json in row.touches)


def _touch_view(touch_json: dict[str, Any]) -> TouchView:
    return TouchView(
        touch_id=UUID(touch_json["touch_id"]),
        method=Method(touch_json["method"]),
        confidence=touch_json["confidence"],
        code=touch_json.get("code"),
        campaign=touch_json.get("campaign"),
        at=datetime.fromisoformat(touch_json["at"]),
        outcome=touch_json.get("outcome") or "not_weighed",
    )


def _select_attempts(
    player_id: str | None, referral_id: UUID | None, outcome: str | None
) -> Select[AttemptRow]:
    wanted = (
        (player_id, AttemptRow.player_id == player_id),
        (referral_id, AttemptRow.referral_id == referral_id),
        (outcome, AttemptRow.outcome == outcome),
    )
    return select(AttemptRow).where(*(test for value, test in wanted if value is not None))


def _attempt_view(row: AttemptRow) -> AttemptView:
    return AttemptView(
        attempt_id=row.attempt_id,
        attempt=AttemptKind(row.attempt),
        player_id=row.player_id,
        outcome=row.outcome,
        referral_id=row.referral_id,
        actor=row.actor,
        reason=row.reason,
        decided_at=row.decided_at,
        candidates=touch_views(row),
    )


def _outcome(decision: AttributionDecision) -> str:
    if isinstance(decision, Unattributed):
        return decision.reason
    return SELF if decision.is_self else BOUND
