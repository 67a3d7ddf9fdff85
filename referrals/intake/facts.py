"""Facts as they are stored: recorded once per kind and event id, read per player."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic_core import to_json
from sqlalchemy import select, text

from db import notifications
from db.engine import ReadSession, StatementExecutor
from db.reporters import NOBODY, Reporter, note_event
from db.tables import FactRow
from db.wakes import wake_after_commit
from domain.codes import normalise_code
from domain.intake.facts import Fact, FactKind, Signup, kind_of
from domain.money import CURRENCY_PATTERN
from referrals.intake.canonical import SHAPES, canonical_json, canonical_text
from referrals.intake.content import Content
from referrals.intake.record_statements import RECORD, RECORDED
from referrals.intake.record_traces import with_traces

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code for none: an amount in it meets no terms."""

FACT_FAULTS: Final = (ValueError, LookupError, TypeError, AttributeError)
"""Faults of one stored fact, such as a status that a later release wrote."""

# For an array that is a parameter, Postgres would estimate rows by its length, and plan again at
# nearly every call.
_OF_PLAYERS: Final = text("""
    select player_id, kind, body, reported_by, request_id, heard_at from facts
     where player_id = any(array(select unnest(cast(:player_ids as varchar[]))))
     order by occurred_at, event_id
""")
_OF_KINDS: Final = text("""
    select player_id, kind, body, reported_by, request_id, heard_at from facts
     where player_id = any(array(select unnest(cast(:player_ids as varchar[]))))
       and kind = any(array(select unnest(cast(:kinds as varchar[]))))
     order by occurred_at, event_id
""")
Door = Literal["http", "kafka", "signal"]
"""Way in through which a fact was first recorded."""


class RecordOutcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A fact whose personal fields are hashed, as one reporter reported it."""

    fact: Fact
    player_id: str
    reported_by: str | None = None
    """Owner of the API key, or the topic; a signal has none."""
    request_id: str | None = None
    """HTTP request, place of the record, or workflow of the signal."""
    matching: Mapping[str, Any] | None = None
    """Kept beside the content, for comparisons; no part of the fingerprint."""
    code_hash: str | None = None
    """Stored in the place of the signup's code if nobody has that one: it may be a name."""


class StoredFact(NamedTuple):
    """A fact as it is stored."""

    player_id: str
    kind: str
    body: dict[str, Any]
    reported_by: str | None
    request_id: str | None
    heard_at: datetime

    @property
    def reporter(self) -> Reporter:
        return Reporter(self.reported_by, self.request_id)


async def record_fact(
    session: StatementExecutor,
    fact: Fact,
    *,
    player_id: str,
    door: Door,
    reporter: Reporter = NOBODY,
    matching: Mapping[str, Any] | None = None,
    code_hash: str | None = None,
    route: bool = True,
) -> RecordOutcome:
    """Record one fact as `record_facts` does."""
    report = Report(
        fact=fact,
        player_id=player_id,
        reported_by=reporter.name,
        request_id=reporter.request_id,
        matching=matching,
        code_hash=code_hash,
    )
    (outcome,) = await record_facts(session, (report,), door=door, route=route)
    return outcome


@with_traces
async def record_facts(
    session: StatementExecutor, reports: Sequence[Report], *, door: Door, route: bool = True
) -> list[RecordOutcome]:
    """Record facts in one statement, and put them in the inbox if `route` is set, but for bets.

    Return an outcome for each report, in their order: DUPLICATE for a fact that is known, CONFLICT
    for a known id with other content. Known are the stored facts and earlier ones of `reports`.
    """
    if not reports:
        return []
    rows = [_Row.of(report) for report in reports]
    columns = dict(zip(_Row._fields, zip(*rows, strict=True), strict=True))
    values = {
        **columns,
        "door": door,
        "route": route,
    }
    new = (await session.execute(RECORD, values)).all()
    added = {row.place - 1 for row in new}
    if route and any(row.is_routed for row in new):
        wake_after_commit(session, notifications.FACTS)
    if len(added) == len(rows):
        return [RecordOutcome.ACCEPTED] * len(rows)
    known = {rows[place].key: rows[place].contents for place in added}
    known |= await _recorded(session, {row.key for row in rows} - known.keys())
    return [
        RecordOutcome.ACCEPTED
        if place in added
        else RecordOutcome.DUPLICATE
        if _is_same(row.contents, known.get(row.key, []))
        else RecordOutcome.CONFLICT
        for place, row in enumerate(rows)
    ]


class _Row(NamedTuple):
    """A row to insert: the statement has an array of each field."""

    kind: str
    event_id: str
    player_id: str
    occurred_at: datetime
    body: str
    fingerprint: str
    reported_by: str | None
    request_id: str | None
    matching: str | None
    code: str | None
    """The code that is looked up: without one that nobody has, the first of the two bodies."""
    body_if_unknown: str | None
    fingerprint_if_unknown: str | None

    @classmethod
    def of(cls, report: Report) -> Self:
        fact, matching = report.fact, report.matching
        body, code, otherwise = canonical_text(fact), None, None
        if isinstance(fact, Signup) and fact.code and report.code_hash not in {None, fact.code}:
            code = normalise_code(fact.code)
            otherwise = canonical_text(replace(fact, code=report.code_hash))
        return cls(
            kind_of(fact).value,
            fact.event_id,
            report.player_id,
            fact.occurred_at,
            body,
            _sha256(body),
            report.reported_by,
            report.request_id,
            to_json(matching).decode() if matching else None,
            code,
            otherwise,
            otherwise and _sha256(otherwise),
        )

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.event_id

    @property
    def contents(self) -> list[Content]:
        """The content, and the one that is stored in its place if nobody has its code."""
        matching = json.loads(self.matching) if self.matching else None
        own = Content(self.fingerprint, json.loads(self.body), matching)
        if self.body_if_unknown is None:
            return [own]
        fingerprint = self.fingerprint_if_unknown or ""
        return [own, Content(fingerprint, json.loads(self.body_if_unknown), matching)]


def _is_same(contents: Sequence[Content], known: Sequence[Content]) -> bool:
    return any(content.is_same_as(other) for content in contents for other in known)


async def _recorded(
    session: StatementExecutor, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], list[Content]]:
    if not keys:
        return {}
    values = {"kinds": [kind for kind, _ in keys], "event_ids": [event_id for _, event_id in keys]}
    rows = await session.execute(RECORDED, values)
    return {
        (row.kind, row.event_id): [Content(row.fingerprint, row.body, row.matching)] for row in rows
    }


async def facts_of_player(
    session: ReadSession, player_id: str, *kinds: FactKind
) -> tuple[Fact, ...]:
    """Return a player's facts, all or those of some kinds, in the order in which they happened."""
    return await facts_of_players(session, (player_id,), *kinds)


async def facts_of_players(
    session: ReadSession, player_ids: Collection[str], *kinds: FactKind
) -> tuple[Fact, ...]:
    """Return the facts of several players, all or those of some kinds, in their order in time."""
    values: dict[str, list[str]] = {"player_ids": list(player_ids)}
    if kinds:
        values["kinds"] = [kind.value for kind in kinds]
    found = await session.execute(_OF_KINDS if kinds else _OF_PLAYERS, values)
    return facts_from(session, [StoredFact(*row) for row in found])


def facts_from(session: ReadSession, stored: Iterable[StoredFact]) -> tuple[Fact, ...]:
    """Return facts, and note who reported the newest one; FACT_FAULTS for an unreadable one."""
    stored = list(stored)
    for one in stored:
        note_event(session, one.reporter, heard_at=one.heard_at)
    return tuple(fact_of(FactKind(one.kind), one.body) for one in stored)


async def readable_facts_of_players(
    session: ReadSession, player_ids: Collection[str], *kinds: FactKind
) -> tuple[tuple[Fact, ...], frozenset[str]]:
    """Return facts as `facts_of_players` does, and the players of those that cannot be read."""
    query = select(FactRow.player_id, FactRow.kind, FactRow.body).where(
        FactRow.player_id.in_(player_ids), FactRow.kind.in_(kinds)
    )
    readable, unreadable = [], set()
    for row in await session.execute(query.order_by(FactRow.occurred_at, FactRow.event_id)):
        try:
            readable.append(fact_of(row.kind, row.body))
        except FACT_FAULTS:
            unreadable.add(row.player_id)
    return tuple(readable), frozenset(unreadable)


async def is_recorded(session: ReadSession, kind: FactKind, event_id: str) -> bool:
    query = select(FactRow.event_id).where(FactRow.kind == kind, FactRow.event_id == event_id)
    return await session.scalar(query) is not None


def fingerprint_of(body: dict[str, Any]) -> str:
    """Return the SHA-256 of a fact's normalised content."""
    return _sha256(canonical_json(body))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fact_of(kind: FactKind, body: dict[str, Any]) -> Fact:
    """Return a stored fact.

    Release 0.2 recorded signalled amounts in whatever was called a currency: they have none.
    """
    return SHAPES[kind].validate_python(
        {name: _with_currency(value) for name, value in body.items()}
    )


def _with_currency(value: Any) -> Any:  # noqa: ANN401 - any value of a stored fact
    if not isinstance(value, dict) or CURRENCY_PATTERN.fullmatch(value["currency"]):
        return value
    return value | {"currency": NO_CURRENCY}
