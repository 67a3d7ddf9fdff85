"""The builder's page: an offer is changed field by field, and becomes a proposal."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.builder import choices
from api.console.builder.edits import complete, edit
from api.console.builder.opening import WINDOWS, open_form
from api.console.builder.proposing import Proposal, read_proposal
from api.console.builder.state import Node, names, nest, text
from api.console.offers.words import (
    condition_in_words,
    limit_in_words,
    qualifies_in_words,
    rewards_in_words,
    variant_in_words,
)
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.http.dependencies import Db
from api.http.errors import Problem
from api.v1.campaigns.routes import DETAILS, REFUSALS
from api.v1.schemas.fields import SLUG_PATTERN
from db.engine import ReadSession, Session
from domain.campaigns.terms import CampaignStatus
from referrals.access.console.roles import Permission
from referrals.campaigns import transitions, version_views
from referrals.campaigns import views as campaign_views
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.store import latest_version, lock_campaign
from referrals.campaigns.views import CampaignView, Draft

router = APIRouter(prefix="/console/campaigns", include_in_schema=False, route_class=PageRoute)
MAX_FIELDS: Final = 2000
"""Fields of one form: the largest tree of conditions, with all rewards, tiers and limits."""
Writer = Annotated[Visitor, Depends(may(Permission.CHANGE_CAMPAIGNS))]
Writing = Annotated[Form, Depends(form_of(Permission.CHANGE_CAMPAIGNS, max_fields=MAX_FIELDS))]
SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN)]
PROPOSE: Final = "propose"
WRITTEN_MEANWHILE: Final = (
    "Somebody wrote a version after you began. Open the form again to change that one."
)
UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The version that is changed: the draft, the proposal or the live one, and the newest one."""

    campaign: CampaignView
    draft: Draft
    version: int
    newest: int


@router.get("/{slug}/edit")
async def open_builder(request: Request, slug: SlugPath, database: Db, _: Writer) -> Response:
    """Show the offer as a form: that of the proposal, where there is one."""
    async with database.reading() as session:
        base = await _load(session, slug)
    return _page(request, base, open_form(base.draft), {}, based_on=base.newest)


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
    return _page(request, base, state, {}, based_on=_based_on(state))


async def _propose(request: Request, slug: str, database: Db, form: Form, state: Node) -> Response:
    async with database.transaction() as session:
        row = await lock_campaign(session, slug)
        base = await _load(session, slug)
        proposal = read_proposal(_own(state, base), base.draft)
        errors = dict(proposal.errors)
        if row is not None and await latest_version(session, row) != _based_on(state):
            errors = {"": WRITTEN_MEANWHILE, **errors}
        if not text(state, "reason"):
            errors["reason"] = "Fill in this field"
        if not errors:
            await _write(session, proposal, form)
            return see(f"/console/campaigns/{slug}?done=propose")
    return _page(request, base, state, errors, based_on=_based_on(state), status=UNPROCESSABLE)


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
        campaign=campaign,
        draft=found.draft,
        version=found.version,
        newest=versions[-1].version,
    )


def _own(state: Node, base: Base) -> Node:
    """Leave out what is fixed: the budget of a campaign that has been funded."""
    if base.campaign.status is CampaignStatus.DRAFT:
        return state
    return {name: value for name, value in state.items() if name != "budget"}


def _based_on(state: Node) -> int:
    typed = text(state, "based_on")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _page(
    request: Request,
    base: Base,
    state: Node,
    errors: dict[str, str],
    *,
    based_on: int,
    status: int = 200,
) -> Response:
    shown = {*names(state), "rewards", "limits", "variants", "when", "reason"}
    outside = [message for name, message in errors.items() if name not in shown]
    preview = read_proposal(_own(state, base), base.draft).draft
    return render(
        request,
        "builder.html",
        title=f"Change {base.campaign.name}",
        status=status,
        campaign=base.campaign,
        currency=base.draft.budget.currency,
        version=base.version,
        is_draft=base.campaign.status is CampaignStatus.DRAFT,
        is_proposal=base.campaign.proposed_version is not None,
        based_on=based_on,
        state=state,
        errors=errors,
        outside=outside,
        windows=WINDOWS,
        choices=choices,
        said=_in_words(preview) if preview else None,
    )


def _in_words(draft: Draft) -> dict[str, object]:
    terms = draft.terms
    return {
        "rewards": rewards_in_words(terms),
        "variants": [(one.name, variant_in_words(terms, one)) for one in draft.variants],
        "qualifies": qualifies_in_words(terms),
        "when": condition_in_words(terms.rules.when) if terms.rules.when else None,
        "limits": [limit_in_words(limit) for limit in terms.rules.limits],
    }
