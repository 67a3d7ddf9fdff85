"""A new campaign: the same form over an empty offer, which becomes a draft."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.access import Form
from api.console.builder.edits import complete, edit
from api.console.builder.opening import open_form
from api.console.builder.page import PROPOSE, REQUIRED, Base, Writer, Writing, show_builder
from api.console.builder.proposing import read_proposal
from api.console.builder.state import Node, nest, text
from api.console.pages import PageRoute
from api.console.sign_in import see
from api.http.dependencies import Db, Now
from api.v1.schemas.campaigns import CampaignIn
from domain.money import CURRENCY_PATTERN
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.transitions import create_campaign

router = APIRouter(prefix="/console/new-campaign", include_in_schema=False, route_class=PageRoute)
DOLLARS: Final = "USD"
ASKED: Final = ("slug", "name", "budget", "destination", "starts_at", "reason")
"""Fields that a draft is not written without."""
TAKEN: Final = "Another campaign has this slug already"
NOT_A_CURRENCY: Final = "Write the three letters of a currency, such as USD"


@router.get("")
async def open_draft(request: Request, _: Writer, now: Now) -> Response:
    """Show an offer with the values of the campaign `default`, and no name, budget or amount."""
    base = _blank(DOLLARS, now)
    state = open_form(base.draft) | dict.fromkeys(("slug", "name", "budget", "destination"), "")
    state["rewards"] = [{**one, "flat": ""} for one in state["rewards"]]
    return show_builder(request, base, state, {}, based_on=0)


@router.post("")
async def change_draft(request: Request, database: Db, form: Writing, now: Now) -> Response:
    """Add or remove a part of the form, or write the draft that it says."""
    state, act = nest(form.fields), form.fields.get("act", "")
    base = _blank(text(state, "currency").upper(), now)
    if act == PROPOSE:
        return await _draft(request, database, form, base, state)
    edit(state, act)
    complete(state)
    return show_builder(request, base, state, {}, based_on=0)


async def _draft(request: Request, database: Db, form: Form, base: Base, state: Node) -> Response:
    proposal = read_proposal(state, base.draft)
    errors = {**proposal.errors, **{name: REQUIRED for name in ASKED if not text(state, name)}}
    if text(state, "currency").upper() != base.draft.budget.currency:
        errors["currency"] = NOT_A_CURRENCY
    if not errors and proposal.draft is not None:
        async with database.transaction() as session:
            outcome = await create_campaign(session, proposal.draft, form.actor)
        if outcome is not TransitionOutcome.EXISTS:
            return see(f"/console/campaigns/{proposal.draft.slug}?done=draft")
        errors["slug"] = TAKEN
    return show_builder(request, base, state, errors, based_on=0)


def _blank(currency: str, now: datetime) -> Base:
    """Return what a draft begins with, in a currency; in dollars where it is not one."""
    known = currency if CURRENCY_PATTERN.fullmatch(currency) else DOLLARS
    body = {
        "slug": "new",
        "name": "New",
        "starts_at": now.replace(second=0, microsecond=0).isoformat(),
        "budget": {"minor": 0, "currency": known},
        "terms": {"referrer_reward": {"minor": 1, "currency": known}},
    }
    return Base(draft=CampaignIn.model_validate(body).to_draft())
