"""Campaigns: the list, and one with its terms, money, history and status."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.builder.texts import TextFaultError, read_amount
from api.console.offers.differences import audience_in_words, differences, promises_of
from api.console.offers.words import (
    CONDITIONS,
    limit_in_words,
    qualifies_in_words,
    rewards_in_words,
    variant_in_words,
)
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import (
    Column,
    Kind,
    Row,
    Table,
    chosen,
    csv_answer,
    paged_table,
    row_limit,
    wants_csv,
)
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.paging import decode_cursor, encode_cursor
from api.v1.campaigns.publication import publish
from api.v1.campaigns.routes import BEYOND_CEILING, DETAILS, REFUSALS
from api.v1.schemas.fields import SLUG_PATTERN
from domain.campaigns.switches import scope_of_campaign, scopes_of
from domain.campaigns.terms import CampaignStatus
from domain.money import Money
from referrals.access import audit_views
from referrals.access.audit_views import AuditFilter
from referrals.access.console.roles import Permission
from referrals.campaigns import funding, switches, transitions, version_views
from referrals.campaigns import views as campaign_views
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition, TransitionOutcome
from referrals.campaigns.transitions import TRANSITIONS
from referrals.campaigns.version_views import VersionView
from referrals.campaigns.views import CampaignView
from referrals.reports import budgets, funnel
from referrals.reports.budgets import PACE_PERIOD
from referrals.reports.funnel import By, FunnelRow
from referrals.reports.span import Span

router = APIRouter(prefix="/console/campaigns", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_CAMPAIGNS))]
Changing = Annotated[Form, Depends(form_of(Permission.CHANGE_CAMPAIGNS))]
SlugPath = Annotated[str, Path(pattern=SLUG_PATTERN)]
MAX_ACTIONS: Final = 30
MAX_VERSIONS: Final = 20
A_MONTH: Final = timedelta(days=30)
ONE_DAY: Final = timedelta(days=1)
COLUMNS: Final = (
    Column("Campaign"),
    Column("Name"),
    Column("Status", Kind.BADGE),
    Column("Version", Kind.NUMBER),
    Column("It pays"),
    Column("Free", Kind.MONEY),
    Column("Begins", Kind.TIME),
    Column("Ends", Kind.TIME),
)
ACTION_COLUMNS: Final = (
    Column("When", Kind.TIME),
    Column("Who"),
    Column("What", Kind.WORD),
    Column("Why"),
)


@router.get("")
async def show_campaigns(request: Request, database: Db, _: Reader) -> Response:
    """List campaigns in the order of their slugs."""
    cursor = request.query_params.get("cursor")
    after = decode_cursor(cursor) if cursor else None
    limit = row_limit(request)
    async with database.reading() as session:
        found = await campaign_views.list_campaigns(session, after=after, limit=limit + 1)
    next_cursor = encode_cursor(found[limit - 1].slug) if len(found) > limit else None
    table = paged_table(
        request,
        name="campaigns",
        columns=COLUMNS,
        rows=[_row(view) for view in found[:limit]],
        empty="There is no campaign yet. Draft one with New campaign, or POST /v1/campaigns.",
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    return render(request, "campaigns.html", title="Campaigns", table=table)


@router.get("/{slug}")
async def show_campaign(
    request: Request, slug: SlugPath, database: Db, visitor: Reader, now: Now
) -> Response:
    """Show a campaign: the live version, its money and funnel, and what people did with it."""
    paced = Span(since=now - PACE_PERIOD, until=now, campaign=slug)
    async with database.snapshot() as session:
        view = await campaign_views.find_campaign(session, slug)
        if view is None:
            raise Problem("unknown_campaign")
        money = await budgets.load_budgets(session, paced, now=now)
        versions = await funnel.load_funnel(session, Span(campaign=slug), by=By.VERSION)
        variants = await funnel.load_funnel(session, Span(campaign=slug), by=By.VARIANT)
        history = await version_views.list_versions(session, slug) or ()
        off = await switches.find_off(session, scopes_of(campaign=slug))
        actions = await audit_views.list_actions(
            session, AuditFilter(subject=f"campaign:{slug}"), before=None, limit=MAX_ACTIONS
        )
    steps = [step for step in CampaignTransition if view.status in TRANSITIONS[step][0]]
    return render(
        request,
        "campaign.html",
        title=view.name,
        campaign=view,
        budgets=money,
        month_ago=(now - A_MONTH).date(),
        tomorrow=(now + ONE_DAY).date(),
        steps=steps if visitor.may(Permission.CHANGE_CAMPAIGNS) else (),
        can_publish=visitor.may(Permission.CHANGE_CAMPAIGNS)
        and (view.status is CampaignStatus.DRAFT or view.proposed_version is not None),
        waiting=view.proposed_version or view.version,
        history=[_version(one) for one in reversed(history)][:MAX_VERSIONS],
        compared=_compared(request, history),
        promises={**audience_in_words(view.options.audience), **promises_of(view.terms)},
        rewards=rewards_in_words(view.terms),
        variants=[(one.name, variant_in_words(view.terms, one)) for one in view.variants],
        qualifies=qualifies_in_words(view.terms),
        when=CONDITIONS.tree(view.terms.rules.when) if view.terms.rules.when else None,
        limits=[limit_in_words(limit) for limit in view.terms.rules.limits],
        scopes_off=off,
        switch=scope_of_campaign(slug),
        actions=Table(
            name="actions",
            columns=ACTION_COLUMNS,
            rows=[Row((one.at, one.actor, one.action, one.reason)) for one in actions],
            empty="Nobody has changed this campaign yet.",
        ),
        versions=_funnel_table("versions", Column("Version", Kind.NUMBER), versions),
        by_variant=_funnel_table("variants", Column("Variant"), variants if view.variants else ()),
    )


_STEPS: Final = ("invitations", "signups", "qualified", "rewarded", "reversed")


def _funnel_table(name: str, first: Column, found: Sequence[FunnelRow]) -> Table:
    """Return the funnel of one campaign's invitations, by the group of the first column."""
    return Table(
        name=name,
        columns=(
            first,
            *(Column(step.capitalize(), Kind.NUMBER) for step in _STEPS),
            Column("Cost", Kind.MONEY),
        ),
        rows=[
            Row((each.group, *(each.counts[step] for step in _STEPS), list(each.cost) or None))
            for each in found
            if any(each.counts[step] for step in _STEPS)
        ],
        empty="Nobody was invited under this campaign yet.",
    )


@router.post("/{slug}/fund")
async def fund_campaign(
    slug: SlugPath, database: Db, config: Config, form: Changing, now: Now
) -> Response:
    """Add to the budget, once per reference, as POST /v1/campaigns/{slug}/fund does."""
    actor, reference = form.actor, form.reference()
    async with database.transaction() as session:
        view = await campaign_views.find_campaign(session, slug)
        if view is None:
            raise Problem("unknown_campaign")
        money = Funding(_amount(form, view.budget.currency), reference)
        most = config.ceilings.budget_minor
        _check(await funding.fund_campaign(session, slug, money, actor, at=now, ceiling_minor=most))
    return see(f"/console/campaigns/{slug}?done=fund")


@router.post("/{slug}/defund")
async def defund_campaign(slug: SlugPath, database: Db, form: Changing, now: Now) -> Response:
    """Take back what is free, once per reference, as POST /v1/campaigns/{slug}/defund does."""
    actor, reference = form.actor, form.reference()
    async with database.transaction() as session:
        view = await campaign_views.find_campaign(session, slug)
        if view is None:
            raise Problem("unknown_campaign")
        money = Funding(_amount(form, view.budget.currency), reference)
        _check(await funding.defund_campaign(session, slug, money, actor, at=now))
    return see(f"/console/campaigns/{slug}?done=defund")


@router.post("/{slug}/publish")
async def publish_campaign(
    slug: SlugPath, database: Db, config: Config, form: Changing, now: Now
) -> Response:
    """Make the version that the page showed live, by another person than the one who wrote it."""
    actor, version = form.actor, form.version()
    async with database.transaction() as session:
        outcome = await publish(
            session, slug, actor, ceilings=config.ceilings, at=now, version=version
        )
        _check(outcome)
    return see(f"/console/campaigns/{slug}?done=publish")


@router.post("/{slug}/withdraw")
async def withdraw_proposal(slug: SlugPath, database: Db, form: Changing) -> Response:
    """Drop the proposal; the live version stays as it is."""
    actor = form.actor
    async with database.transaction() as session:
        _check(await transitions.withdraw_proposal(session, slug, actor))
    return see(f"/console/campaigns/{slug}?done=withdraw")


@router.post("/{slug}/{step}")
async def change_status(
    slug: SlugPath, step: CampaignTransition, database: Db, form: Changing, now: Now
) -> Response:
    """Publish, pause, resume or end a campaign."""
    actor = form.actor
    async with database.transaction() as session:
        _check(await transitions.apply_transition(session, slug, step, actor, at=now))
    return see(f"/console/campaigns/{slug}?done={step}")


def _version(one: VersionView) -> dict[str, object]:
    """Return a version with what it changes; the first changes nothing."""
    before = one.compared_with
    return {"view": one, "changes": differences(before, one.draft) if before else ()}


def _compared(request: Request, history: Sequence[VersionView]) -> dict[str, object] | None:
    """Return what differs between the two versions that the address names; None without two."""
    drafts = {str(one.version): one.draft for one in history}
    first, second = chosen(request, "from", drafts), chosen(request, "to", drafts)
    if first is None or second is None:
        return None
    return {
        "first": first,
        "second": second,
        "changes": differences(drafts[first], drafts[second]),
    }


def _amount(form: Form, currency: str) -> Money:
    try:
        given = read_amount(form.text("amount"), currency)
    except TextFaultError as fault:
        raise invalid_field("amount", str(fault)) from fault
    if not given["minor"]:
        raise invalid_field("amount", "Write more than nothing")
    return Money(given["minor"], given["currency"])


def _check(outcome: TransitionOutcome) -> None:
    """Raise the refusal, which rolls the transaction back."""
    if outcome is TransitionOutcome.OTHER_CURRENCY:
        raise invalid_field("amount", "Must be in the campaign's currency")
    if outcome is TransitionOutcome.BEYOND_CEILING:
        raise invalid_field("amount", BEYOND_CEILING)
    if outcome in REFUSALS:
        raise Problem(REFUSALS[outcome], DETAILS.get(outcome, ""))


def _pays(view: CampaignView) -> str:
    """Return who gets what, on one line."""
    found = rewards_in_words(view.terms)
    return ", ".join(f"{words.text} {side[:1].lower()}{side[1:]}" for side, words in found)


def _row(view: CampaignView) -> Row:
    return Row(
        (
            view.slug,
            view.name,
            view.status,
            view.version,
            _pays(view),
            view.available_budget,
            view.starts_at,
            view.ends_at,
        ),
        href=f"/console/campaigns/{view.slug}",
    )
