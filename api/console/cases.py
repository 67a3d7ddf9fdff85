"""The review queue, and one case with everything that its decision needs."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.graph import draw_cluster
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import (
    Column,
    Filter,
    Kind,
    Row,
    ShortId,
    chosen,
    csv_answer,
    paged_table,
    row_limit,
    typed,
    wants_csv,
)
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.paging import decode_position, encode_position
from api.v1.cases import MAX_EXTENSION, REFUSALS
from db.paging import PageRequest
from domain.fraud.cases import CaseChoice, CaseStatus
from domain.people import is_same_person
from referrals.access.console.roles import Permission
from referrals.fraud.cases import claims, decisions
from referrals.fraud.cases.claims import CaseOutcome
from referrals.fraud.cases.decisions import CaseDecision
from referrals.reporting import case_views, referral_views
from referrals.reporting.case_views import CaseView

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_CASES))]
Reviewing = Annotated[Form, Depends(form_of(Permission.DECIDE_CASES))]
WAITING = frozenset({CaseStatus.OPEN, CaseStatus.CLAIMED})
COLUMNS = (
    Column("Case", Kind.ID),
    Column("Status", Kind.BADGE),
    Column("Score", Kind.NUMBER),
    Column("Amount", Kind.MONEY),
    Column("Reasons", Kind.TEXT),
    Column("Players", Kind.NUMBER),
    Column("Due", Kind.TIME),
    Column("Claimed by"),
)


@router.get("")
async def show_queue(request: Request, database: Db, _: Reader, now: Now) -> Response:
    """List cases by status and player: those that wait, the oldest first, or the newest first."""
    asked = request.query_params
    status = chosen(request, "status", CaseStatus) if "status" in asked else CaseStatus.OPEN
    player = typed(request, "player")
    position = decode_position(asked["cursor"]) if "cursor" in asked else None
    async with database.reading() as session:
        page = await case_views.list_cases(
            session,
            PageRequest(row_limit(request), position),
            status=CaseStatus(status) if status else None,
            player_id=player,
            now=now,
            is_queue=status in WAITING,
        )
    next_cursor = encode_position(page.next_position)
    table = paged_table(
        request,
        name="cases",
        columns=COLUMNS,
        rows=[_row(case) for case in page.items],
        empty="No case matches. When a doubtful reward is held, its case appears here.",
        filters=(
            Filter(name="status", label="Status", value=status or "", choices=list(CaseStatus)),
            Filter(name="player", label="Player", value=player or ""),
        ),
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    return render(request, "cases.html", title="Review queue", table=table)


@router.get("/{case_id}")
async def show_case(
    request: Request, case_id: UUID, database: Db, visitor: Reader, now: Now
) -> Response:
    """Show a case: evidence, cluster, timelines, notes, and the form that decides it."""
    async with database.reading() as session:
        case = await case_views.find_case(session, case_id, now=now)
        if case is None:
            raise Problem("unknown_case")
        found = [await referral_views.find_referral(session, id_) for id_ in case.referrals[:20]]
    referrals = [view for view in found if view is not None]
    return render(
        request,
        "case.html",
        title=f"Case {str(case_id)[:8]}",
        case=case,
        referrals=referrals,
        graph=draw_cluster(case.cluster),
        is_open=case.status in WAITING,
        is_taken=case.status is CaseStatus.CLAIMED and not _holds(visitor, case),
        tomorrow=(now + timedelta(days=1)).date().isoformat(),
    )


@router.post("/{case_id}/claim")
async def claim_case(case_id: UUID, database: Db, form: Reviewing, now: Now) -> Response:
    async with database.transaction() as session:
        actor = form.visitor.actor("claimed")
        _check(await claims.claim(session, case_id, actor, now=now))
    return see(f"/console/cases/{case_id}?done=claim")


@router.post("/{case_id}/release")
async def release_case(case_id: UUID, database: Db, form: Reviewing, now: Now) -> Response:
    async with database.transaction() as session:
        actor = form.visitor.actor("released")
        _check(await claims.release(session, case_id, actor, now=now))
    return see(f"/console/cases/{case_id}?done=release")


@router.post("/{case_id}/notes")
async def add_note(case_id: UUID, database: Db, form: Reviewing, now: Now) -> Response:
    text, actor = form.words("text"), form.visitor.actor("a note")
    async with database.transaction() as session:
        _check(await claims.add_note(session, case_id, text, actor, now=now))
    return see(f"/console/cases/{case_id}?done=note")


@router.post("/{case_id}/decision")
async def decide_case(
    case_id: UUID, database: Db, config: Config, form: Reviewing, now: Now
) -> Response:
    """Approve, reject or postpone a case, by the rules of POST /v1/cases/{case_id}/decision."""
    decision, actor = _decision(form, now), form.actor
    async with database.transaction() as session:
        outcome = await decisions.decide(
            session, case_id, decision, actor, limits=config.second_person_limits, now=now
        )
        _check(outcome)
    done = "second" if outcome is CaseOutcome.SECOND_PERSON_REQUIRED else "decision"
    return see(f"/console/cases/{case_id}?done={done}")


def _decision(form: Form, now: datetime) -> CaseDecision:
    given, read = form.fields.get("decision", ""), form.fields.get("version") or None
    if given not in set(CaseChoice):
        raise invalid_field("decision", "Choose approve, reject or extend")
    if given != CaseChoice.EXTEND:
        return CaseDecision(choice=CaseChoice(given), version=read)
    try:
        day = datetime.strptime(form.text("until"), "%Y-%m-%d")  # noqa: DTZ007 - a day of UTC
    except ValueError as fault:
        raise invalid_field("until", "Choose a day") from fault
    until = datetime.combine(day, time.max, UTC)
    if not now < until <= now + MAX_EXTENSION:
        raise invalid_field("until", "Choose a day in the future, within a year")
    return CaseDecision(choice=CaseChoice.EXTEND, until=until, version=read)


def _holds(visitor: Visitor, case: CaseView) -> bool:
    return case.claimed_by is not None and is_same_person(case.claimed_by, visitor.person.name)


def _check(outcome: CaseOutcome) -> None:
    """Raise the refusal, which rolls the transaction back."""
    if outcome in REFUSALS:
        raise Problem(REFUSALS[outcome])


def _row(case: CaseView) -> Row:
    return Row(
        (
            ShortId(case.case_id),
            case.status,
            case.score,
            list(case.amount),
            ", ".join(reason.replace("_", " ") for reason in case.reasons),
            len(case.cluster.players),
            case.due_at,
            case.claimed_by,
        ),
        href=f"/console/cases/{case.case_id}",
    )
