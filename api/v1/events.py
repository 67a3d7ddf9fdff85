"""Events in: one short transaction, and the fact is durably stored."""

import structlog
from fastapi import APIRouter, Depends

from api.http.dependencies import Db, Hashes, requires
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.schemas.events import (
    Accepted,
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    StatusChangeIn,
    WagerIn,
)
from db.engine import Database
from domain.intake.facts import kind_of
from domain.privacy import Hasher
from referrals.intake import facts
from referrals.intake.facts import RecordOutcome

router = APIRouter(
    prefix="/v1/events",
    tags=["events"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("events:write"))],
    responses=problem_responses("event_conflict", *BODY_PROBLEMS),
)
log = structlog.get_logger()


@router.post("/signups", status_code=202)
async def report_signup(body: SignupIn, database: Db, hasher: Hashes) -> Accepted:
    """A player opened an account.

    A token that is forged or expired, or a code that nobody has, is accepted like any other: the
    signup is stored unattributed, with the reason.
    """
    return await _accept(body, database, hasher)


@router.post("/deposits", status_code=202)
async def report_deposit(body: DepositIn, database: Db, hasher: Hashes) -> Accepted:
    """A deposit was settled. Pending and failed ones are not reported."""
    return await _accept(body, database, hasher)


@router.post("/chargebacks", status_code=202)
async def report_chargeback(body: ChargebackIn, database: Db, hasher: Hashes) -> Accepted:
    """A deposit was refunded or charged back, or a chargeback of it was won.

    Without an amount it is about the whole deposit.
    """
    return await _accept(body, database, hasher)


@router.post("/wagers", status_code=202)
async def report_wager(body: WagerIn, database: Db, hasher: Hashes) -> Accepted:
    """A bet was settled."""
    return await _accept(body, database, hasher)


@router.post("/players", status_code=202)
async def report_status_change(body: StatusChangeIn, database: Db, hasher: Hashes) -> Accepted:
    """A player was verified, self-excluded, closed or restored."""
    return await _accept(body, database, hasher)


async def _accept(body: EventIn, database: Database, hasher: Hasher) -> Accepted:
    fact = body.fact(hasher)
    structlog.contextvars.bind_contextvars(event_id=fact.event_id)
    async with database.autocommit() as session:
        recorded = await facts.record_fact(session, fact, player_id=body.player_id, door="http")
    if recorded is RecordOutcome.CONFLICT:
        log.warning("event_conflict", kind=kind_of(fact), event_id=fact.event_id)
        raise Problem("event_conflict")
    return Accepted(event_id=fact.event_id, status=recorded.value)
