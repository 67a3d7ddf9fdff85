"""Search: whatever one pastes, and where it leads."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.access import SignedIn, Visitor
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import Column, Kind, Row, Table, typed
from api.http.dependencies import Config, Db
from api.http.errors import Problem
from referrals.access.console.roles import Permission
from referrals.intake.contacts import has_contacts
from referrals.reporting.search import Hit, HitKind, search

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
COLUMNS = (
    Column("Found", Kind.ID),
    Column("What", Kind.WORD),
    Column("Stage", Kind.BADGE),
    Column("About"),
)
FIRST_OF_ALL = frozenset({HitKind.REFERRAL, HitKind.REWARD, HitKind.CASE, HitKind.CAMPAIGN})
"""Kinds whose page opens at once where nothing else was found."""


@router.get("/search")
async def show_found(request: Request, database: Db, config: Config, visitor: SignedIn) -> Response:
    """Show what has the pasted id; a single hit opens at once."""
    if not (visitor.may(Permission.SEE_REFERRALS) or visitor.may(Permission.SEE_CAMPAIGNS)):
        raise Problem("role_not_allowed")
    pasted = typed(request, "q")
    hits = []
    if pasted:
        async with database.reading() as session:
            found = await search(session, pasted, topic_sources=config.kafka_topic_sources.values())
        hits = [hit for hit in found if _leads_to(hit, visitor)]
    if len(hits) == 1 and hits[0].kind in FIRST_OF_ALL and (to := _leads_to(hits[0], visitor)):
        return see(to)
    table = Table(
        name="found",
        columns=COLUMNS,
        rows=[
            Row((hit.id, hit.kind, hit.stage, hit.text), href=_leads_to(hit, visitor))
            for hit in hits
        ],
        empty=_nothing_found(pasted),
    )
    return render(request, "search.html", title="Search", table=table, pasted=pasted)


def _nothing_found(pasted: str | None) -> str:
    if not pasted:
        return "Paste the id of a player, code, referral, deposit, reward or case above."
    if has_contacts(pasted):
        return "Nobody is found by a mail address or a phone number: only hashes of them are kept."
    return f"Nothing has the id {pasted}. Check that it is complete."


def _leads_to(hit: Hit, visitor: Visitor) -> str | None:
    """Return the page of a hit that the visitor may see, or None."""
    if hit.kind is HitKind.CAMPAIGN:
        allowed, to = Permission.SEE_CAMPAIGNS, f"/console/campaigns/{hit.id}"
    elif hit.kind is HitKind.CASE:
        allowed, to = Permission.SEE_CASES, f"/console/cases/{hit.id}"
    elif hit.reward_id is not None and visitor.may(Permission.SEE_LEDGER):
        allowed, to = Permission.SEE_LEDGER, f"/console/ledger/rewards/{hit.reward_id}"
    elif hit.kind is HitKind.PLAYER:
        allowed, to = Permission.SEE_REFERRALS, f"/console/players/{hit.id}"
    elif hit.referral_id is not None:
        allowed, to = Permission.SEE_REFERRALS, f"/console/referrals/{hit.referral_id}"
    else:
        allowed, to = Permission.SEE_REFERRALS, f"/console/referrals?code={hit.id}"
    return to if visitor.may(allowed) else None
