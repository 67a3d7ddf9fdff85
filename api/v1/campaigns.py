"""Campaigns: drafted by one person, published and funded by another who may."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path

from api.http.dependencies import Caller, Db, Now, requires
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import Cursor, Limit, PageOut, decode_cursor, encode_cursor, invalid_cursor
from api.http.strict_json import StrictRoute
from api.v1.schemas.campaigns import NO_REASON, CampaignIn, CampaignOut, FundingIn, Reasoned
from api.v1.schemas.fields import SLUG_PATTERN
from db.engine import ReadSession
from referrals.access.audit import Actor
from referrals.campaigns import transitions
from referrals.campaigns import views as campaign_views
from referrals.campaigns.budget import Funding
from referrals.campaigns.transitions import CampaignTransition, TransitionOutcome

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=StrictRoute)
SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN)]
Reader = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))
Writer = Annotated[Caller, Depends(requires("campaigns:write"))]
Publisher = Annotated[Caller, Depends(requires("campaigns:publish"))]

REFUSALS: Final = {
    TransitionOutcome.UNKNOWN: "unknown_campaign",
    TransitionOutcome.EXISTS: "campaign_exists",
    TransitionOutcome.NOT_ALLOWED: "invalid_transition",
    TransitionOutcome.REFERENCE_CONFLICT: "reference_conflict",
}


@router.post("", status_code=201, responses=problem_responses("campaign_exists", *BODY_PROBLEMS))
async def draft_campaign(body: CampaignIn, database: Db, writer: Writer) -> CampaignOut:
    """A draft: nobody sees it until it is published. All of its money is in one currency."""
    draft = body.draft()
    async with database.transaction() as session:
        outcome = await transitions.create_campaign(session, draft, _actor(writer))
        return await _answer(session, draft.slug, outcome)


@router.get("", dependencies=[Reader])
async def list_campaigns(
    database: Db, limit: Limit = 50, cursor: Cursor = None
) -> PageOut[CampaignOut]:
    """In the order of their slugs."""
    after = decode_cursor(cursor) if cursor is not None else None
    if after is not None and not after.isprintable():
        raise invalid_cursor()
    async with database.reading() as session:
        found = await campaign_views.list_campaigns(session, after=after, limit=limit + 1)
    items = [CampaignOut.model_validate(view) for view in found[:limit]]
    return PageOut(
        items=items, next_cursor=encode_cursor(items[-1].slug) if len(found) > limit else None
    )


@router.get("/{slug}", dependencies=[Reader], responses=problem_responses("unknown_campaign"))
async def show_campaign(slug: SlugPath, database: Db) -> CampaignOut:
    """What the campaign says now, and how much of its budget is left."""
    async with database.reading() as session:
        return await _answer(session, slug, TransitionOutcome.CHANGED)


@router.put(
    "/{slug}",
    responses=problem_responses("unknown_campaign", "invalid_transition", *BODY_PROBLEMS),
)
async def revise_campaign(
    slug: SlugPath, body: CampaignIn, database: Db, writer: Writer
) -> CampaignOut:
    """A new version, for invitations from now on; referrals keep the terms of their invitation.

    The currency stays once the campaign was published. The budget of a version counts when the
    campaign is first published; after that, money comes by `fund`.
    """
    if body.slug != slug:
        raise invalid_field("slug", "This differs from the slug in the address")
    draft = body.draft()
    async with database.transaction() as session:
        outcome = await transitions.revise_campaign(session, draft, _actor(writer))
        return await _answer(session, slug, outcome, currency="budget.currency")


@router.post(
    "/{slug}/fund",
    responses=problem_responses("unknown_campaign", "reference_conflict", *BODY_PROBLEMS),
)
async def fund_campaign(
    slug: SlugPath, body: FundingIn, database: Db, publisher: Publisher, now: Now
) -> CampaignOut:
    """Add to the budget, once per reference; referrals that waited for money go on."""
    funding = Funding(body.amount.money(), body.reference)
    async with database.transaction() as session:
        outcome = await transitions.fund_campaign(
            session, slug, funding, _actor(publisher, body.reason), at=now
        )
        return await _answer(session, slug, outcome, currency="amount.currency")


@router.post(
    "/{slug}/{step}",
    responses=problem_responses("unknown_campaign", "invalid_transition", *BODY_PROBLEMS),
)
async def change_status(  # noqa: PLR0917 - FastAPI passes each by its name
    slug: SlugPath,
    step: CampaignTransition,
    database: Db,
    publisher: Publisher,
    now: Now,
    body: Reasoned | None = None,
) -> CampaignOut:
    """Publish a draft, which funds it with its budget; pause, resume or end what was published.

    An ended campaign stays ended. A step that the status does not allow is 409.
    """
    reason = body.reason if body else NO_REASON
    async with database.transaction() as session:
        outcome = await transitions.apply_transition(
            session, slug, step, _actor(publisher, reason), at=now
        )
        return await _answer(session, slug, outcome)


def _actor(caller: Caller, reason: str = NO_REASON) -> Actor:
    return Actor(name=caller.owner, request_id=caller.request_id, reason=reason)


async def _answer(
    session: ReadSession, slug: str, outcome: TransitionOutcome, *, currency: str = "currency"
) -> CampaignOut:
    """The campaign as it is now; what was refused leaves the transaction, which takes it back."""
    if outcome is TransitionOutcome.OTHER_CURRENCY:
        raise invalid_field(currency, "This is not the campaign's currency")
    view = (
        await campaign_views.find_campaign(session, slug)
        if outcome is TransitionOutcome.CHANGED
        else None
    )
    if view is None:
        raise Problem(REFUSALS.get(outcome, "unknown_campaign"))
    return CampaignOut.model_validate(view)
