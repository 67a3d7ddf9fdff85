"""Changing a campaign's offer: field by field, until it is a proposal."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.console.access import Form
from api.console.builder.edits import complete, edit
from api.console.builder.opening import open_form
from api.console.builder.page import (
    PROPOSE,
    REQUIRED,
    Base,
    Writer,
    Writing,
    based_on,
    show_builder,
)
from api.console.builder.proposing import Proposal, read_proposal
from api.console.builder.state import Node, nest, text
from api.console.pages import PageRoute
from api.console.sign_in import see
from api.http.dependencies import Db
from api.http.errors import Problem
from api.v1.campaigns.routes import DETAILS, REFUSALS
from api.v1.schemas.fields import SLUG_PATTERN
from db.engine import ReadSession, Session
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns import transitions, version_views
from referrals.campaigns import views as campaign_views
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.store import latest_version, lock_campaign

router = APIRouter(prefix="/console/campaigns", include_in_schema=False, route_class=PageRoute)
SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN)]
WRITTEN_MEANWHILE: Final = (
    "Somebody wrote a version after you began. Open the form again to change that one."
)


@router.get("/{slug}/edit")
async def open_builder(request: Request, slug: SlugPath, database: Db, _: Writer) -> Response:
    """Show the offer as a form: that of the proposal, where there is one."""
    async with database.reading() as session:
        base = await _load(session, slug)
    return show_builder(request, base, open_form(base.draft), {}, based_on=base.newest)


@router.post("/{slug}/edit")
async def change_form(request: Request, slug: SlugPath, database: Db, form: Writing) -> Response:
    """Add or remove a part of the form, or write the version that it says."""
    state, act = nest(form.fields), form.fields.get("act", "")
    if act == PROPOSE:
        return await _propose(request, slug, database, form, state)
    edit(state, act)
    complete(state)
    async with database.reading() as session:
        base = await _load(session, slug)
    return show_builder(request, base, state, {}, based_on=based_on(state))


async def _propose(request: Request, slug: str, database: Db, form: Form, state: Node) -> Response:
    async with database.transaction() as session:
        row = await lock_campaign(session, slug)
        base = await _load(session, slug)
        proposal = read_proposal(base.own(state), base.draft)
        errors = dict(proposal.errors)
        if row is not None and await latest_version(session, row) != based_on(state):
            errors = {"": WRITTEN_MEANWHILE, **errors}
        if not text(state, "reason"):
            errors["reason"] = REQUIRED
        if not errors:
            await _write(session, proposal, form)
            return see(f"/console/campaigns/{slug}?done=propose")
    return show_builder(request, base, state, errors, based_on=based_on(state))


async def _write(session: Session, proposal: Proposal, form: Form) -> None:
    if proposal.draft is None:
        raise Problem("validation_failed")
    outcome = await transitions.revise_campaign(session, proposal.draft, form.actor)
    if outcome is not TransitionOutcome.CHANGED:
        raise Problem(REFUSALS.get(outcome, "invalid_transition"), DETAILS.get(outcome, ""))


async def _load(session: ReadSession, slug: str) -> Base:
    campaign = await campaign_views.find_campaign(session, slug)
    versions = await version_views.list_versions(session, slug)
    if campaign is None or not versions:
        raise Problem("unknown_campaign")
    if campaign.status is CampaignStatus.ENDED:
        raise Problem("invalid_transition", "The campaign has ended.")
    wanted = campaign.proposed_version or campaign.version
    found = next(one for one in versions if one.version == wanted)
    return Base(
        draft=found.draft,
        campaign=campaign,
        version=found.version,
        newest=versions[-1].version,
    )
