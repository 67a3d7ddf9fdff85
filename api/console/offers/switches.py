"""Kill switches: a page that lists them, and the form that turns one."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import Column, Kind, Row, Table, csv_answer, wants_csv
from api.http.dependencies import Db
from api.http.errors import Problem, invalid_field
from domain.campaigns.switches import ALL, SCOPE, SwitchState, code_instead_of_alias
from referrals.access.console.roles import Permission
from referrals.campaigns import switches
from referrals.campaigns import views as campaign_views
from referrals.campaigns.switches import SwitchOutcome, SwitchView

router = APIRouter(prefix="/console/switches", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_CAMPAIGNS))]
Changing = Annotated[Form, Depends(form_of(Permission.CHANGE_CAMPAIGNS))]
MAX_KNOWN: Final = 100
"""Campaigns that the form offers; others can be typed."""
COLUMNS: Final = (
    Column("Scope", Kind.ID),
    Column("State", Kind.BADGE),
    Column("Since", Kind.TIME),
    Column("By"),
    Column("Reason"),
)


@router.get("")
async def show_switches(request: Request, database: Db, visitor: Reader) -> Response:
    """List the switches that were ever turned, those that are off first."""
    async with database.reading() as session:
        found = await switches.list_switches(session)
        known = await campaign_views.list_campaigns(session, after=None, limit=MAX_KNOWN)
    ordered = sorted(found, key=lambda one: one.state is SwitchState.ON)
    table = Table(
        name="switches",
        columns=COLUMNS,
        rows=[_row(one) for one in ordered],
        empty="No switch was ever turned: everything is on.",
    )
    if wants_csv(request):
        return csv_answer(table)
    return render(
        request,
        "switches.html",
        title="Kill switches",
        table=table,
        scopes_off=[one.scope for one in ordered if one.state is SwitchState.OFF],
        known=[view.slug for view in known],
        can_turn=visitor.may(Permission.CHANGE_CAMPAIGNS),
    )


@router.post("")
async def turn_switch(database: Db, form: Changing) -> Response:
    """Turn a switch, as PUT /v1/switches/{scope} does."""
    actor, scope, state = form.actor, form.text("scope"), form.text("state")
    if not SCOPE.fullmatch(scope):
        raise invalid_field(
            "scope", f"Write {ALL}, campaign:SLUG, or jurisdiction:CODE such as jurisdiction:US-NJ"
        )
    if state not in set(SwitchState):
        raise invalid_field("state", "Choose on or off")
    if meant := code_instead_of_alias(scope, SwitchState(state)):
        raise invalid_field("scope", f"Write {meant}, its code of ISO 3166")
    async with database.transaction() as session:
        outcome = await switches.turn(session, scope, SwitchState(state), actor)
        if outcome is SwitchOutcome.UNKNOWN_CAMPAIGN:
            raise Problem("unknown_campaign")
    return see(f"/console/switches?done=switch_{state}")


def _row(one: SwitchView) -> Row:
    return Row((one.scope, one.state, one.switched_at, one.switched_by, one.reason))
