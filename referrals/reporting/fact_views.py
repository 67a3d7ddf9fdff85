"""Views of the facts of a referral's pair, each with what it does for the referral."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, tuple_

from db.engine import ReadSession
from db.tables import FactRow, ReferralRow
from domain.intake.facts import (
    Chargeback,
    Decision,
    Deposit,
    Fact,
    FactKind,
    StatusChange,
    Wager,
    Withdrawal,
)
from domain.intake.sources import source_of
from domain.lifecycle.referral import CREDITED_STAGES, Stage
from domain.money import Money
from domain.rewards.fact_effect import FactEffect
from domain.rewards.fact_effects import Setting, effects_of
from referrals.campaigns.exchange.lookup import terms_with_rates
from referrals.fraud import reviews
from referrals.intake import facts
from referrals.lifecycle.circumstances import circumstances_of
from referrals.lifecycle.stages import terms_of
from referrals.rewards.attempts import Attempt, latest_attempt

ENDED_STAGES: Final = frozenset({Stage.EXPIRED, Stage.REJECTED, Stage.UNFUNDED, Stage.VOIDED})
"""Stages at which a later deposit earns nothing."""
FROZEN_STAGES: Final = CREDITED_STAGES | ENDED_STAGES
"""Stages at which the deposits that the reward rests on do not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact without its personal fields; `detail` is a chargeback's kind, a status, a choice."""

    kind: FactKind
    event_id: str
    player_id: str
    occurred_at: datetime
    recorded_at: datetime
    reported_by: str | None
    request_id: str | None
    door: str
    amount: Money | None
    deposit_id: str | None
    detail: str | None
    reason_code: FactEffect

    @property
    def source(self) -> str:
        return source_of(self.event_id)

    @property
    def counts(self) -> bool:
        return self.reason_code.counts

    @property
    def reason(self) -> str:
        return self.reason_code.text


@dataclass(frozen=True, slots=True)
class FactPosition:
    """The last fact on a page; later facts happened later, or at the same time with a larger id."""

    at: datetime
    kind: FactKind
    event_id: str


@dataclass(frozen=True, slots=True)
class FactPage:
    items: Sequence[FactView]
    next_position: FactPosition | None


async def find_facts(
    session: ReadSession, referral_id: UUID, *, after: FactPosition | None, limit: int
) -> FactPage | None:
    """Return a page of a referral's facts in the order in which they happened; None if unknown.

    All facts of the referee, and the referrer's changes of status.
    """
    row = await session.scalar(select(ReferralRow).where(ReferralRow.id == referral_id))
    if row is None:
        return None
    found = await _rows(session, _is_of_pair(row), after=after, limit=limit + 1)
    views = _views(found[:limit], await load_setting(session, row))
    if len(found) <= limit:
        return FactPage(views, None)
    last = views[-1]
    return FactPage(views, FactPosition(last.occurred_at, last.kind, last.event_id))


async def counting_facts(
    session: ReadSession, row: ReferralRow, fact_ids: Collection[str], *, limit: int
) -> Sequence[FactView]:
    """Return the facts that count for a referral, and the deposits with these ids."""
    is_judged = and_(_is_of_pair(row), FactRow.kind != FactKind.WAGER)
    found = await _rows(session, is_judged, after=None, limit=None)
    views = _views(found, await load_setting(session, row))
    return [
        view
        for view in views
        if view.counts or (view.kind is FactKind.DEPOSIT and view.event_id in fact_ids)
    ][:limit]


async def load_setting(session: ReadSession, row: ReferralRow) -> Setting:
    """Read what the facts of a referral are judged by."""
    money_facts: tuple[Fact, ...] = ()
    if row.referee_id is not None:
        money_facts = await facts.facts_of_player(
            session, row.referee_id, FactKind.DEPOSIT, FactKind.CHARGEBACK
        )
    pair = [player for player in (row.referrer_id, row.referee_id) if player]
    changes = await facts.facts_of_players(session, pair, FactKind.PLAYER)
    latest = await latest_attempt(session, row.id)
    terms = await terms_with_rates(session, row, terms_of(row))
    return Setting(
        terms=terms,
        referee_id=row.referee_id,
        signup_event_id=row.signup_event_id,
        signed_up_at=row.signed_up_at,
        money_facts=money_facts,
        circumstances=await circumstances_of(session, row, terms),
        status_changes=tuple(fact for fact in changes if isinstance(fact, StatusChange)),
        frozen=_frozen(row, latest),
        has_ended=row.stage in ENDED_STAGES,
        is_lost=row.stage is Stage.LOST,
        attempt=latest.number if latest else 1,
        decided_attempts=await _decided_attempts(session, row),
    )


def _frozen(row: ReferralRow, latest: Attempt | None) -> frozenset[str] | None:
    """Return the deposits that a reward rests on for good; before 0.3 that was one."""
    if row.stage not in FROZEN_STAGES:
        return None
    if latest is not None and (row.qualified_by is None or row.qualified_by in latest.fact_ids):
        return latest.fact_ids
    if row.qualified_by is not None:
        return frozenset({row.qualified_by})
    # Fraud may reject a deposit before its attempt begins, and 0.2 wrote no attempts.
    return None if row.stage in {Stage.REJECTED, Stage.UNFUNDED} else frozenset()


async def _decided_attempts(session: ReadSession, row: ReferralRow) -> dict[str, int]:
    """Return the attempt that each recorded decision was about, by the decision's event id.

    A decision made over the API is named after its review; a signalled one has any id.
    """
    attempts = {
        (review.reviewer, review.decided_at): review.attempt
        for review in await reviews.rounds_of(session, row.id)
        if review.decision is not None
    }
    decisions = await facts.facts_of_player(session, row.referee_id or "", FactKind.DECISION)
    return {
        fact.event_id: attempts[fact.reviewer, fact.occurred_at]
        for fact in decisions
        if isinstance(fact, Decision) and (fact.reviewer, fact.occurred_at) in attempts
    }


def _is_of_pair(row: ReferralRow) -> ColumnElement[bool]:
    referrers_status = and_(FactRow.player_id == row.referrer_id, FactRow.kind == FactKind.PLAYER)
    if row.referee_id is None:
        return referrers_status
    return or_(FactRow.player_id == row.referee_id, referrers_status)


async def _rows(
    session: ReadSession,
    condition: ColumnElement[bool],
    *,
    after: FactPosition | None,
    limit: int | None,
) -> Sequence[FactRow]:
    key = tuple_(FactRow.occurred_at, FactRow.kind, FactRow.event_id)
    query = select(FactRow).where(condition)
    if after is not None:
        query = query.where(key > (after.at, after.kind, after.event_id))
    query = query.order_by(FactRow.occurred_at, FactRow.kind, FactRow.event_id)
    return (await session.scalars(query.limit(limit))).all()


def _views(rows: Sequence[FactRow], setting: Setting) -> list[FactView]:
    recorded = [facts.fact_of(row.kind, row.body) for row in rows]
    effects = effects_of(recorded, setting)
    return [
        _view(row, fact, effect) for row, fact, effect in zip(rows, recorded, effects, strict=True)
    ]


def _view(row: FactRow, fact: Fact, effect: FactEffect) -> FactView:
    return FactView(
        kind=row.kind,
        event_id=row.event_id,
        player_id=row.player_id,
        occurred_at=row.occurred_at,
        recorded_at=row.heard_at,
        reported_by=row.reported_by,
        request_id=row.request_id,
        door=row.door,
        amount=_amount(fact),
        deposit_id=fact.deposit_id if isinstance(fact, Deposit | Chargeback) else None,
        detail=_detail(fact),
        reason_code=effect,
    )


def _amount(fact: Fact) -> Money | None:
    match fact:
        case Deposit() | Chargeback() | Withdrawal():
            return fact.amount
        case Wager():
            return fact.stake
        case _:
            return None


def _detail(fact: Fact) -> str | None:
    match fact:
        case Chargeback():
            return fact.kind
        case StatusChange():
            return fact.status
        case Decision():
            return fact.decision
        case _:
            return None
