"""Facts as they are stored: recorded once per kind and event id, read per player."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from db import notifications
from db.engine import ReadSession, StatementExecutor
from db.tables import FactRow
from domain.intake.facts import FACT_TYPES, Fact, FactKind, kind_of
from domain.money import CURRENCY_PATTERN

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code for none: an amount in it meets no terms."""

_SHAPES: Final = {kind: TypeAdapter[Fact](shape) for kind, shape in FACT_TYPES.items()}

# One statement, because a caller's answer waits for it.
_RECORD: Final = text("""
    with fact as (
        insert into facts
            (kind, event_id, player_id, occurred_at, body, fingerprint, door, reported_by)
        values
            (:kind, :event_id, :player_id, :occurred_at, :body, :fingerprint, :door, :reported_by)
        on conflict do nothing
        returning kind, event_id, player_id
    ), routed as (
        insert into inbox (player_id, kind, event_id)
        select player_id, kind, event_id from fact where :route
        returning pg_notify(:channel, :payload)
    )
    select (select count(*) from fact) as added, (select count(*) from routed) as routed
""").bindparams(bindparam("body", type_=JSONB))


Door = Literal["http", "signal"]
"""Way in through which a fact was first recorded."""


class RecordOutcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


async def record_fact(
    session: StatementExecutor,
    fact: Fact,
    *,
    player_id: str,
    door: Door,
    reported_by: str | None = None,
    route: bool = True,
) -> RecordOutcome:
    """Record a fact whose personal fields are hashed, and put it in the inbox if `route` is set.

    `reported_by` is the owner of the API key; a signal has none. Return DUPLICATE for a fact that
    is known, CONFLICT for a known id with other content.
    """
    kind, body = kind_of(fact), body_of(fact)
    fingerprint = fingerprint_of(body)
    values = {
        "kind": kind.value,
        "event_id": fact.event_id,
        "player_id": player_id,
        "occurred_at": fact.occurred_at,
        "body": body,
        "fingerprint": fingerprint,
        "door": door,
        "reported_by": reported_by,
        "route": route,
        "channel": notifications.CHANNEL,
        "payload": notifications.FACTS_OR_UPDATES,
    }
    if (await session.execute(_RECORD, values)).one().added:
        return RecordOutcome.ACCEPTED
    return await _compare_fingerprint(session, kind, fact.event_id, fingerprint)


async def _compare_fingerprint(
    session: StatementExecutor, kind: FactKind, event_id: str, fingerprint: str
) -> RecordOutcome:
    known = await session.scalar(
        select(FactRow.fingerprint).where(FactRow.kind == kind, FactRow.event_id == event_id)
    )
    return RecordOutcome.DUPLICATE if known == fingerprint else RecordOutcome.CONFLICT


async def facts_of_player(
    session: ReadSession, player_id: str, *kinds: FactKind
) -> tuple[Fact, ...]:
    """Return a player's facts, all or those of some kinds, in the order in which they happened."""
    return await facts_of_players(session, (player_id,), *kinds)


async def facts_of_players(
    session: ReadSession, player_ids: Collection[str], *kinds: FactKind
) -> tuple[Fact, ...]:
    """Return the facts of several players, all or those of some kinds, in their order in time."""
    query = select(FactRow.kind, FactRow.body).where(FactRow.player_id.in_(player_ids))
    if kinds:
        query = query.where(FactRow.kind.in_(kinds))
    rows = await session.execute(query.order_by(FactRow.occurred_at, FactRow.event_id))
    return tuple(fact_of(row.kind, row.body) for row in rows)


async def is_recorded(session: ReadSession, kind: FactKind, event_id: str) -> bool:
    query = select(FactRow.event_id).where(FactRow.kind == kind, FactRow.event_id == event_id)
    return await session.scalar(query) is not None


def body_of(fact: Fact) -> dict[str, Any]:
    """Return the normalised content: times in UTC, no fields that are None."""
    utc = replace(fact, occurred_at=fact.occurred_at.astimezone(UTC))
    body: dict[str, Any] = _SHAPES[kind_of(fact)].dump_python(utc, mode="json", exclude_none=True)
    return body


def fingerprint_of(body: dict[str, Any]) -> str:
    """Return the SHA-256 of a fact's normalised content."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def fact_of(kind: FactKind, body: dict[str, Any]) -> Fact:
    """Return a stored fact.

    Release 0.2 recorded signalled amounts in whatever was called a currency: they have none.
    """
    return _SHAPES[kind].validate_python(
        {name: _with_currency(value) for name, value in body.items()}
    )


async def has_unrouted_signup(session: ReadSession, tokens: Sequence[str]) -> bool:
    """Return whether a signup with one of these referral tokens waits in the inbox."""
    query = text("""
        select exists (
            select from inbox join facts using (kind, event_id)
            where inbox.kind = 'signup'
              and (facts.body ->> 'referral_token' = any(:tokens)
                   or facts.body ->> 'cookie_token' = any(:tokens))
        )
    """)
    return (await session.execute(query, {"tokens": list(tokens)})).scalar_one() is True


def _with_currency(value: Any) -> Any:  # noqa: ANN401 - any value of a stored fact
    if not isinstance(value, dict) or CURRENCY_PATTERN.fullmatch(value["currency"]):
        return value
    return value | {"currency": NO_CURRENCY}
