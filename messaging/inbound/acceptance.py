"""Acceptance of records: the one way through Kafka's door, for the consumer and for replays."""

from collections.abc import Sequence

import structlog

from db.engine import Database, StatementExecutor
from db.faults import DATABASE_FAULTS, describe, is_refused_value
from messaging.inbound.decoding import Decoder
from messaging.records import Record, Refusal, RefusalCode
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome, Report

log = structlog.get_logger()

Acceptance = RecordOutcome | Refusal
"""ACCEPTED or DUPLICATE for a stored fact, or the reason why it is refused."""


async def accept(database: Database, decoded: Sequence[Report | Refusal]) -> list[Acceptance]:
    """Store what could be decoded, in one statement, and return an outcome for each record.

    Raises one of DATABASE_FAULTS, or another exception, for a fault that is not a record's: then
    any of the facts may be stored, and all are to be accepted again.
    """
    reports = [report for report in decoded if isinstance(report, Report)]
    recorded = iter(await _record(database, reports))
    return [each if isinstance(each, Refusal) else next(recorded) for each in decoded]


async def accept_one(session: StatementExecutor, decoder: Decoder, record: Record) -> Acceptance:
    """Accept one record in the caller's transaction, which Postgres may refuse with a fault."""
    decoded = decoder.decode(record)
    if isinstance(decoded, Refusal):
        return decoded
    (outcome,) = await facts.record_facts(session, (decoded,), door="kafka")
    return _refuse_conflict(outcome)


async def _record(database: Database, reports: Sequence[Report]) -> list[Acceptance]:
    try:
        async with database.autocommit() as session:
            outcomes = await facts.record_facts(session, reports, door="kafka")
    except DATABASE_FAULTS as fault:
        if not is_refused_value(fault):
            raise
        if len(reports) == 1:
            return [refused_by_database(str(reports[0].request_id), fault)]
        return await _record_halves(database, reports)
    return [_refuse_conflict(outcome) for outcome in outcomes]


async def _record_halves(database: Database, reports: Sequence[Report]) -> list[Acceptance]:
    """Find the facts that Postgres refuses: one of them must not keep out the others."""
    middle = len(reports) // 2
    return [
        *await _record(database, reports[:middle]),
        *await _record(database, reports[middle:]),
    ]


def refused_by_database(place: str, fault: Exception) -> Refusal:
    """Return the refusal of a record whose values Postgres does not take, and log why."""
    log.error("record_refused_by_database", place=place, error=describe(fault))
    return Refusal(RefusalCode.REFUSED_BY_DATABASE)


def _refuse_conflict(outcome: RecordOutcome) -> Acceptance:
    if outcome is RecordOutcome.CONFLICT:
        return Refusal(RefusalCode.EVENT_CONFLICT)
    return outcome
