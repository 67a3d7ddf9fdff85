"""Campaigns: drafted with one scope, published and funded with another."""

from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Path

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import Cursor, Limit, PageOut, decode_cursor, encode_cursor
from api.http.strict_json import StrictRoute
from api.v1.campaigns.answers import CampaignOut, VersionsOut
from api.v1.campaigns.publication import publish
from api.v1.schemas.campaigns import (
    BODY_LIMIT_BYTES,
    NO_REASON,
    CampaignIn,
    DefundingIn,
    FundingIn,
    PublicationIn,
    Reasoned,
)
from api.v1.schemas.fields import SLUG_PATTERN
from db.engine import ReadSession
from referrals.campaigns import funding as budgets
from referrals.campaigns import transitions, version_views
from referrals.campaigns import views as campaign_views
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome


class CampaignRoute(StrictRoute):
    """Route of campaigns, whose terms may hold large trees of conditions."""

    body_limit_bytes: ClassVar[int | None] = BODY_LIMIT_BYTES
    named_depth: ClassVar[int | None] = 24


router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=CampaignRoute)
SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN)]
CAN_READ: Final = Depends(requires("campaigns:write", "campaigns:publish", "reports:read"))
Writer = Annotated[Caller, Depends(requires("campaigns:write"))]
Publisher = Annotated[Caller, Depends(requires("campaigns:publish"))]

REFUSALS: Final = {
    TransitionOutcome.UNKNOWN: "unknown_campaign",
    TransitionOutcome.EXISTS: "campaign_exists",
    TransitionOutcome.NOT_ALLOWED: "invalid_transition",
    TransitionOutcome.NO_PROPOSAL: "no_proposal",
    TransitionOutcome.SECOND_PERSON: "second_person_required",
    TransitionOutcome.REFERENCE_CONFLICT: "reference_conflict",
    TransitionOutcome.HAS_ENDED: "invalid_transition",
    TransitionOutcome.BUDGET_IS_FUNDED: "budget_is_funded",
    TransitionOutcome.INSUFFICIENT: "insufficient_budget",
}
DETAILS: Final = {
    TransitionOutcome.HAS_ENDED: "A campaign that has ended takes no money; what is left in it can"
    " be taken back by `defund`.",
}
"""Details of refusals that say more than their problem does."""
BEYOND_CEILING: Final = (
    "Must keep all that was put into the budget at REFERRALS_LARGEST_BUDGET_MINOR or below"
)


@router.post("", status_code=201, responses=problem_responses("campaign_exists", *BODY_PROBLEMS))
async def draft_campaign(body: CampaignIn, database: Db, writer: Writer) -> CampaignOut:
    """Create a draft campaign. It takes no invitations until a second person publishes it.

    It needs a slug, a name, a budget and a referrer's reward; everything else has the value of the
    campaign `default`, but with a budget in another currency than USD there is no minimum deposit.
    Amounts are in minor units, those of the terms in the budget's currency (422 otherwise);
    durations are ISO 8601.
    Not idempotent: 409 `campaign_exists` once the slug is used.
    """
    draft = body.to_draft()
    async with database.transaction() as session:
        outcome = await transitions.create_campaign(session, draft, writer.actor(NO_REASON))
        return await _campaign_out(session, draft.slug, outcome)


@router.get("", dependencies=[CAN_READ])
async def list_campaigns(
    database: Db, limit: Limit = 50, cursor: Cursor = None
) -> PageOut[CampaignOut]:
    """List all campaigns with their available budget, ordered by slug."""
    after = decode_cursor(cursor) if cursor is not None else None
    async with database.reading() as session:
        found = await campaign_views.list_campaigns(session, after=after, limit=limit + 1)
    items = [CampaignOut.of(view) for view in found[:limit]]
    return PageOut(
        items=items, next_cursor=encode_cursor(items[-1].slug) if len(found) > limit else None
    )


@router.get("/{slug}", dependencies=[CAN_READ], responses=problem_responses("unknown_campaign"))
async def show_campaign(slug: SlugPath, database: Db) -> CampaignOut:
    """Return a campaign's live version and its available budget. 404 `unknown_campaign`.

    `proposal` names a later version that waits for a second person.
    """
    async with database.reading() as session:
        return await _campaign_out(session, slug, TransitionOutcome.CHANGED)


@router.put(
    "/{slug}",
    responses=problem_responses(
        "unknown_campaign", "invalid_transition", "budget_is_funded", *BODY_PROBLEMS
    ),
)
async def revise_campaign(
    slug: SlugPath, body: CampaignIn, database: Db, writer: Writer
) -> CampaignOut:
    """Add a version: a draft's content, or a proposal that changes nothing until it is published.

    The answer shows the live version; `proposal` names the added one, which replaces an earlier
    proposal. Existing referrals keep the terms of their invitation. Once published or funded, a
    campaign keeps its currency (422 otherwise). Once published, its budgets change only by `fund`
    and `defund`: another one is 409 `budget_is_funded`. 404 `unknown_campaign`; 409
    `invalid_transition` for an ended campaign.
    """
    if body.slug != slug:
        raise invalid_field("slug", "Must be the same as the slug in the path")
    draft = body.to_draft()
    async with database.transaction() as session:
        outcome = await transitions.revise_campaign(session, draft, writer.actor(NO_REASON))
        return await _campaign_out(session, slug, outcome, currency_field="budget.currency")


@router.post(
    "/{slug}/fund",
    responses=problem_responses(
        "unknown_campaign",
        "reference_conflict",
        "invalid_transition",
        "balance_limit",
        *BODY_PROBLEMS,
    ),
)
async def fund_campaign(  # noqa: PLR0917 - FastAPI passes each by its name
    slug: SlugPath, body: FundingIn, database: Db, settings: Config, publisher: Publisher, now: Now
) -> CampaignOut:
    """Add an amount in minor units to the budget, and resume referrals that waited for funds.

    Those that wait longest are paid first, as far as the money goes. Idempotent by `reference`: the
    same amount again changes nothing, another amount is 409 `reference_conflict`. 404
    `unknown_campaign`; 409 `invalid_transition` once the campaign has ended, `balance_limit` for a
    budget above 10^15; 422 for another currency than the campaign's, or beyond the ceiling of
    REFERRALS_LARGEST_BUDGET_MINOR.
    """
    funding = Funding(body.amount.to_money(), body.reference)
    async with database.transaction() as session:
        outcome = await budgets.fund_campaign(
            session,
            slug,
            funding,
            publisher.actor(body.reason),
            at=now,
            ceiling_minor=settings.ceilings.budget_minor,
        )
        return await _campaign_out(session, slug, outcome, currency_field="amount.currency")


@router.post(
    "/{slug}/defund",
    responses=problem_responses(
        "unknown_campaign", "reference_conflict", "insufficient_budget", *BODY_PROBLEMS
    ),
)
async def defund_campaign(
    slug: SlugPath, body: DefundingIn, database: Db, publisher: Publisher, now: Now
) -> CampaignOut:
    """Take an amount in minor units back out of the budget, whatever the campaign's status.

    What is reserved for held rewards stays. Idempotent by `reference`: the same amount again
    changes nothing, another amount is 409 `reference_conflict`. 404 `unknown_campaign`; 409
    `insufficient_budget` for more than is free in the amount's currency.
    """
    funding = Funding(body.amount.to_money(), body.reference)
    async with database.transaction() as session:
        outcome = await budgets.defund_campaign(
            session, slug, funding, publisher.actor(body.reason), at=now
        )
        return await _campaign_out(session, slug, outcome)


@router.get(
    "/{slug}/versions", dependencies=[CAN_READ], responses=problem_responses("unknown_campaign")
)
async def list_versions(slug: SlugPath, database: Db) -> VersionsOut:
    """List the versions of a campaign, oldest first: who wrote and published each, what it changes.

    A version is compared with the one that was live when it was written. 404 `unknown_campaign`.
    """
    async with database.reading() as session:
        found = await version_views.list_versions(session, slug)
    if found is None:
        raise Problem("unknown_campaign")
    return VersionsOut.model_validate({"items": found})


@router.post(
    "/{slug}/publish",
    responses=problem_responses(
        "unknown_campaign",
        "invalid_transition",
        "version_changed",
        "second_person_required",
        "balance_limit",
        *BODY_PROBLEMS,
    ),
)
async def publish_campaign(  # noqa: PLR0917 - FastAPI passes each by its name
    slug: SlugPath,
    database: Db,
    settings: Config,
    publisher: Publisher,
    now: Now,
    body: PublicationIn | None = None,
) -> CampaignOut:
    """Make a draft or a proposal live, for invitations from now on.

    Send the `version` that was read: 409 `version_changed` names the one that waits, if it is
    another by now. The first publication funds the campaign with the budgets of its version. 403
    `second_person_required` for whoever wrote the version; 422 with the fields that keep it from
    being published: dates, destination, ceilings, a budget below the cost that is expected. 404
    `unknown_campaign`; 409 `invalid_transition` where there is neither a draft nor a proposal.
    """
    asked = body or PublicationIn()
    actor = publisher.actor(asked.reason)
    async with database.transaction() as session:
        outcome = await publish(
            session, slug, actor, ceilings=settings.ceilings, at=now, version=asked.version
        )
        return await _campaign_out(session, slug, outcome)


@router.post("/{slug}/withdraw", responses=problem_responses("unknown_campaign", "no_proposal"))
async def withdraw_proposal(
    slug: SlugPath, database: Db, writer: Writer, body: Reasoned | None = None
) -> CampaignOut:
    """Drop a campaign's proposal; the live version stays as it is.

    404 `unknown_campaign`; 409 `no_proposal` where none waits.
    """
    actor = writer.actor(body.reason if body else NO_REASON)
    async with database.transaction() as session:
        outcome = await transitions.withdraw_proposal(session, slug, actor)
        return await _campaign_out(session, slug, outcome)


@router.post(
    "/{slug}/{step}",
    responses=problem_responses(
        "unknown_campaign", "invalid_transition", "balance_limit", *BODY_PROBLEMS
    ),
)
async def change_status(  # noqa: PLR0917 - FastAPI passes each by its name
    slug: SlugPath,
    step: CampaignTransition,
    database: Db,
    publisher: Publisher,
    now: Now,
    body: Reasoned | None = None,
) -> CampaignOut:
    """Pause or resume a campaign, or end it.

    An ended campaign stays ended. 404 `unknown_campaign`; 409 `invalid_transition` for a step that
    the status does not allow, such as the same step again.
    """
    reason = body.reason if body else NO_REASON
    async with database.transaction() as session:
        outcome = await transitions.apply_transition(
            session, slug, step, publisher.actor(reason), at=now
        )
        return await _campaign_out(session, slug, outcome)


async def _campaign_out(
    session: ReadSession, slug: str, outcome: TransitionOutcome, *, currency_field: str = "currency"
) -> CampaignOut:
    """Return the campaign, or raise the refusal, which rolls the caller's transaction back."""
    if outcome is TransitionOutcome.OTHER_CURRENCY:
        raise invalid_field(currency_field, "Must be the campaign's currency")
    if outcome is TransitionOutcome.BEYOND_CEILING:
        raise invalid_field("amount.minor", BEYOND_CEILING)
    view = (
        await campaign_views.find_campaign(session, slug)
        if outcome is TransitionOutcome.CHANGED
        else None
    )
    if view is None:
        raise Problem(REFUSALS.get(outcome, "unknown_campaign"), DETAILS.get(outcome, ""))
    return CampaignOut.of(view)
