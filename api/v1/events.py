"""Events of the signup and payments services: one short transaction records each fact."""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends

from api.http.authorisation import Caller, requires
from api.http.dependencies import EventRecording, Recording
from api.http.errors import conflict
from api.http.event_route import EventRoute
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.v1.schemas.events import Accepted
from domain.intake.facts import kind_of
from referrals.intake.conflicts import differing_fields
from referrals.intake.events import (
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    StatusChangeIn,
    WagerIn,
    WithdrawalIn,
)
from referrals.intake.facts import RecordOutcome

router = APIRouter(
    prefix="/v1/events",
    tags=["events"],
    route_class=EventRoute,
    responses=problem_responses("event_conflict", "unavailable", "too_early", *BODY_PROBLEMS),
)
ALL_EVENTS: Final = "events:write"
"""Scope of whoever may report every kind of event; each kind has one of its own."""
SignupReporter = Annotated[Caller, Depends(requires("signups:write", ALL_EVENTS))]
DepositReporter = Annotated[Caller, Depends(requires("deposits:write", ALL_EVENTS))]
ChargebackReporter = Annotated[Caller, Depends(requires("chargebacks:write", ALL_EVENTS))]
WagerReporter = Annotated[Caller, Depends(requires("wagers:write", ALL_EVENTS))]
WithdrawalReporter = Annotated[Caller, Depends(requires("withdrawals:write", ALL_EVENTS))]
PlayerReporter = Annotated[Caller, Depends(requires("players:write", ALL_EVENTS))]
log = structlog.get_logger()


@router.post("/signups", status_code=202)
async def report_signup(
    body: SignupIn,
    recording: EventRecording,
    reporter: SignupReporter,
) -> Accepted:
    """Record that a player opened an account.

    202 once the event is durably stored; attribution happens afterwards. Idempotent by `event_id`:
    the same event again is `duplicate`, other content under it is 409 `event_conflict`. A forged or
    expired token and an unknown code are accepted too; the attribution log has the reason.
    """
    return await _accept(body, recording, reporter)


@router.post("/deposits", status_code=202)
async def report_deposit(
    body: DepositIn,
    recording: EventRecording,
    reporter: DepositReporter,
) -> Accepted:
    """Record a settled deposit, with its amount in minor units. Do not report pending ones.

    Report every deposit of every player, in any order: whether it qualifies is decided later.
    Idempotent by `event_id`: other content under it is 409 `event_conflict`.
    """
    return await _accept(body, recording, reporter)


@router.post("/chargebacks", status_code=202)
async def report_chargeback(
    body: ChargebackIn, recording: EventRecording, reporter: ChargebackReporter
) -> Accepted:
    """Record that a deposit was refunded or charged back, or that this was undone.

    `refund_failed` undoes a refund, `chargeback_won` a chargeback. `amount` (in minor units) is
    that of this event alone, never a running total; left out, it is the whole deposit. Events
    with the same `dispute_id` are one matter, in which the latest amount of each kind counts: so
    may one dispute be reported under several event ids. It may arrive before its deposit.
    Idempotent by `event_id`: other content under it is 409 `event_conflict`.
    """
    return await _accept(body, recording, reporter)


@router.post("/wagers", status_code=202)
async def report_wager(
    body: WagerIn, recording: EventRecording, reporter: WagerReporter
) -> Accepted:
    """Record a settled bet, with its stake in minor units.

    Idempotent by `event_id`: other content under it is 409 `event_conflict`.
    """
    return await _accept(body, recording, reporter)


@router.post("/withdrawals", status_code=202)
async def report_withdrawal(
    body: WithdrawalIn, recording: EventRecording, reporter: WithdrawalReporter
) -> Accepted:
    """Record a completed withdrawal, with its amount in minor units.

    It moves no reward: fraud rules look at how soon after a deposit or a reward it came. Idempotent
    by `event_id`: other content under it is 409 `event_conflict`.
    """
    return await _accept(body, recording, reporter)


@router.post("/players", status_code=202)
async def report_status_change(
    body: StatusChangeIn, recording: EventRecording, reporter: PlayerReporter
) -> Accepted:
    """Record that a player was verified, self-excluded, closed or restored.

    No reward is credited while either player of a referral is self-excluded or closed. Idempotent
    by `event_id`: other content under it is 409 `event_conflict`.
    """
    return await _accept(body, recording, reporter)


async def _accept(
    body: EventIn,
    recording: Recording,
    reporter: Caller,
) -> Accepted:
    report = body.to_report(
        recording.hasher,
        recording.networks,
        source=reporter.source,
        reporter=reporter.reporter,
    )
    fact = report.fact
    structlog.contextvars.bind_contextvars(event_id=fact.event_id)
    recorded = await recording.batches.record(report)
    if recorded is RecordOutcome.CONFLICT:
        log.warning("event_conflict", kind=kind_of(fact), event_id=fact.event_id)
        async with recording.database.reading() as session:
            raise conflict("event_conflict", *await differing_fields(session, report))
    return Accepted(event_id=body.event_id, status=recorded.value)
