"""The ledger and the audit: verification, statements, one reward's evidence, who did what."""

from functools import partial
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.offers.words import CONDITIONS
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import (
    Column,
    Filter,
    Kind,
    Linked,
    Row,
    ShortId,
    Table,
    chosen,
    csv_answer,
    paged_table,
    row_limit,
    typed,
    wants_csv,
)
from api.http.dependencies import Db
from api.http.errors import Problem
from api.http.paging import decode_line_number, encode_cursor
from api.v1.ledger import CoalescingVerifier
from api.v1.players import StatementAccount
from db.engine import ReadSession
from domain.ledger.movements import Book
from referrals.access import audit, audit_views
from referrals.access.audit_views import AuditFilter, AuditView
from referrals.access.console.roles import Permission
from referrals.ledger import balances
from referrals.ledger.balances import StatementLine
from referrals.reporting import reward_evidence
from referrals.reporting.reward_evidence import RewardEvidence
from referrals.verification import runs
from referrals.verification.lag import load_lag
from referrals.verification.verify import SENTENCES

router = APIRouter(prefix="/console/ledger", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_LEDGER))]
Verifying = Annotated[Form, Depends(form_of(Permission.SEE_LEDGER))]
STATEMENT_COLUMNS: Final = (
    Column("When", Kind.TIME),
    Column("Movement", Kind.WORD),
    Column("In", Kind.MONEY),
    Column("Out", Kind.MONEY),
    Column("Balance", Kind.MONEY),
    Column("Reward", Kind.ID),
    Column("Reference", Kind.ID),
)
AUDIT_COLUMNS: Final = (
    Column("When", Kind.TIME),
    Column("Who"),
    Column("What", Kind.ID),
    Column("About", Kind.ID),
    Column("Why"),
)
TRANSFER_COLUMNS: Final = (
    Column("When", Kind.TIME),
    Column("Movement", Kind.WORD),
    Column("Account", Kind.WORD),
    Column("In", Kind.MONEY),
    Column("Out", Kind.MONEY),
    Column("Balance", Kind.MONEY),
)
FACT_COLUMNS: Final = (
    Column("Happened", Kind.TIME),
    Column("What", Kind.WORD),
    Column("Event", Kind.ID),
    Column("Amount", Kind.MONEY),
    Column("Reported by"),
)


@router.get("")
async def show_ledger(request: Request, database: Db, _: Reader) -> Response:
    """Show the newest verification, the books, and one player's statement."""
    player = typed(request, "player")
    account = chosen(request, "account", StatementAccount) or StatementAccount.AVAILABLE
    async with database.reading() as session:
        table, next_cursor = await _statement(request, session, player, Book(account))
        if wants_csv(request):
            return csv_answer(table, next_cursor=next_cursor)
        return render(
            request,
            "ledger.html",
            title="Ledger",
            table=table,
            player=player,
            run=await runs.newest_run(session),
            sentences=SENTENCES,
            lag=await load_lag(session),
            books=await balances.sums_by_book(session),
        )


@router.post("/verify")
async def verify(request: Request, database: Db, form: Verifying) -> Response:
    """Ask the verifier for a run; the page shows it, or an older one with its age."""
    actor = form.visitor.actor("asked at the console")
    async with database.transaction() as session:
        await audit.write(session, actor, action="ledger.verify", subject="ledger", details={})
    verifier: CoalescingVerifier = request.app.state.verifier
    if not await verifier.run():
        raise Problem("unavailable", "No verifier answered in time; the last run stays shown.")
    return see("/console/ledger?done=verify")


@router.get("/rewards/{reward_id}")
async def show_evidence(
    request: Request, reward_id: UUID, database: Db, visitor: Reader
) -> Response:
    """Show one reward from the events that earned it to the entries of its money."""
    async with database.snapshot() as session:
        evidence = await reward_evidence.find_evidence(session, reward_id)
    if evidence is None:
        raise Problem("unknown_reward")
    return render(
        request,
        "evidence.html",
        title=f"Reward {str(reward_id)[:8]}",
        evidence=evidence,
        facts=_facts(evidence),
        conditions=[
            {
                "label": CONDITIONS.label(one.field),
                "value": CONDITIONS.value(one.field, one.value),
                "holds": one.holds,
            }
            for one in evidence.qualification.conditions
        ],
        transfers=_transfers(evidence),
        actions=Table(
            name="actions",
            columns=AUDIT_COLUMNS,
            rows=[_audit_row(one, visitor) for one in evidence.audit],
            empty="Nobody intervened: the rules decided alone.",
        ),
    )


@router.get("/audit")
async def show_audit(request: Request, database: Db, visitor: Reader) -> Response:
    """List what people did, newest first, by person, action and subject."""
    if not visitor.may(Permission.SEE_OPERATIONS):
        raise Problem("role_not_allowed")
    filters = AuditFilter(
        actor=typed(request, "actor"),
        action=typed(request, "action"),
        subject=typed(request, "subject"),
    )
    before, limit = decode_line_number(request.query_params.get("cursor")), row_limit(request)
    async with database.reading() as session:
        found = await audit_views.list_actions(session, filters, before=before, limit=limit + 1)
    next_cursor = encode_cursor(str(found[limit - 1].audit_id)) if len(found) > limit else None
    table = paged_table(
        request,
        name="audit",
        columns=AUDIT_COLUMNS,
        rows=[_audit_row(one, visitor) for one in found[:limit]],
        empty="Nobody did anything that matches.",
        filters=(
            Filter(name="actor", label="Who", value=filters.actor or ""),
            Filter(name="action", label="What", value=filters.action or ""),
            Filter(name="subject", label="About", value=filters.subject or ""),
        ),
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    return render(request, "audit.html", title="Audit", table=table)


async def _statement(
    request: Request, session: ReadSession, player: str | None, book: Book
) -> tuple[Table, str | None]:
    before, limit = decode_line_number(request.query_params.get("cursor")), row_limit(request)
    lines = (
        await balances.load_statement(session, player, book, before=before, limit=limit + 1)
        if player
        else []
    )
    next_cursor = encode_cursor(str(lines[limit - 1].line)) if len(lines) > limit else None
    table = paged_table(
        request,
        name="statement",
        columns=STATEMENT_COLUMNS,
        rows=[_line_row(line) for line in lines[:limit]],
        empty="No line in this account." if player else "Name a player to read the statement.",
        filters=(
            Filter(name="player", label="Player", value=player or ""),
            Filter(
                name="account", label="Account", value=book.value, choices=list(StatementAccount)
            ),
        ),
        next_cursor=next_cursor,
    )
    return table, next_cursor


def _line_row(line: StatementLine) -> Row:
    came_in = line.direction == "in"
    return Row(
        (
            line.at,
            line.movement,
            line.amount if came_in else None,
            None if came_in else line.amount,
            line.balance_after,
            ShortId(line.reward_id) if line.reward_id else None,
            line.reference,
        ),
        href=f"/console/ledger/rewards/{line.reward_id}" if line.reward_id else None,
    )


SUBJECTS: Final = {
    "campaign": (Permission.SEE_CAMPAIGNS, "/console/campaigns/"),
    "case": (Permission.SEE_CASES, "/console/cases/"),
    "player": (Permission.SEE_REFERRALS, "/console/players/"),
    "referral": (Permission.SEE_REFERRALS, "/console/referrals/"),
    "reward": (Permission.SEE_LEDGER, "/console/ledger/rewards/"),
}
"""Subjects that have a page, by the word before their id, and who may open it."""


def _audit_row(one: AuditView, visitor: Visitor) -> Row:
    kind, _, subject_id = one.subject.partition(":")
    allowed, page = SUBJECTS.get(kind, (None, ""))
    about: str | Linked = one.subject
    if allowed is not None and subject_id and visitor.may(allowed):
        about = Linked(one.subject, f"{page}{quote(subject_id, safe='')}")
    return Row((one.at, one.actor, one.action, about, one.reason))


def _facts(evidence: RewardEvidence) -> Table:
    return Table(
        name="facts",
        columns=FACT_COLUMNS,
        rows=[
            Row((fact.occurred_at, fact.kind, fact.event_id, fact.amount, fact.reported_by))
            for fact in evidence.facts
        ],
        empty="No fact counts for this reward any more.",
    )


def _transfers(evidence: RewardEvidence) -> Table:
    shown = partial(Table, name="transfers", columns=TRANSFER_COLUMNS)
    rows = [
        Row(
            (
                transfer.at,
                transfer.movement,
                entry.account,
                entry.amount if entry.direction == "in" else None,
                entry.amount if entry.direction == "out" else None,
                entry.balance_after,
            )
        )
        for transfer in evidence.transfers
        for entry in transfer.entries
    ]
    return shown(rows=rows, empty="No money moved for this reward.")
