"""Referrals: the list, one with its whole story, and one player's page."""

from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from api.console.access import Visitor, may
from api.console.attributions import MAX_ATTEMPTS, attempts_table
from api.console.formats import of_kind
from api.console.pages import PageRoute, render
from api.console.standings import explanation_of, next_step_of
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
from api.http.dependencies import Config, Db
from api.http.errors import Problem
from api.http.paging import decode_position, encode_position
from api.v1.schemas.fields import ID_REGEX
from db.paging import PageRequest
from domain.lifecycle.referral import Stage
from domain.notifications.sending import NotificationStatus
from domain.rewards.reward import RewardStatus
from referrals.access.console.roles import Permission
from referrals.attribution import log_views
from referrals.ledger import balances
from referrals.reporting import fact_views, message_views, referral_views
from referrals.reporting.fact_views import FactView
from referrals.reporting.message_views import MessageView
from referrals.reporting.referral_views import ReferralFilter, ReferralView
from referrals.rewards import hold_views
from runtime.settings import Settings
from workflows.client import workflow_id

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_REFERRALS))]
MAX_FACTS: Final = 100
MAX_HOLDS: Final = 50
MAX_MESSAGES: Final = 50
COLUMNS: Final = (
    Column("Referral", Kind.ID),
    Column("Stage", Kind.BADGE),
    Column("Referrer", Kind.ID),
    Column("Referee", Kind.ID),
    Column("Campaign"),
    Column("Invited", Kind.TIME),
    Column("Rewards", Kind.MONEY),
)
FACT_COLUMNS: Final = (
    Column("Happened", Kind.TIME),
    Column("What", Kind.WORD),
    Column("Event", Kind.ID),
    Column("Amount", Kind.MONEY),
    Column("Effect"),
    Column("Received", Kind.TIME),
)
MESSAGE_COLUMNS: Final = (
    Column("Triggered", Kind.TIME),
    Column("To", Kind.ID),
    Column("What", Kind.WORD),
    Column("Status", Kind.BADGE),
    Column("When", Kind.TIME),
    Column("Language"),
    Column("Reason", Kind.WORD),
)


@router.get("/referrals")
async def show_referrals(request: Request, database: Db, visitor: Reader) -> Response:
    """List referrals, newest first, by stage, player and campaign."""
    asked = request.query_params
    stage = chosen(request, "stage", Stage)
    filters = ReferralFilter(
        stage=Stage(stage) if stage else None,
        either_side=typed(request, "player"),
        campaign=typed(request, "campaign"),
        code=typed(request, "code"),
    )
    position = decode_position(asked["cursor"]) if "cursor" in asked else None
    async with database.reading() as session:
        page = await referral_views.list_referrals(
            session, filters, PageRequest(row_limit(request), position)
        )
    next_cursor = encode_position(page.next_position)
    table = paged_table(
        request,
        name="referrals",
        columns=COLUMNS,
        rows=[_row(view, visitor) for view in page.items],
        empty="No referral matches. Loosen a filter, or search for an id above.",
        filters=(
            Filter(name="stage", label="Stage", value=stage or "", choices=list(Stage)),
            Filter(name="player", label="Player", value=filters.either_side or ""),
            Filter(name="campaign", label="Campaign", value=filters.campaign or ""),
            Filter(name="code", label="Code", value=filters.code or ""),
        ),
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    return render(request, "referrals.html", title="Referrals", table=table)


@router.get("/referrals/{referral_id}")
async def show_referral(
    request: Request, referral_id: UUID, database: Db, config: Config, _: Reader
) -> Response:
    """Show why a referral stands where it does: timeline, attribution, rules, holds and money."""
    async with database.snapshot() as session:
        view = await referral_views.find_referral(session, referral_id)
        if view is None:
            raise Problem("unknown_referral")
        facts = await fact_views.find_facts(session, referral_id, after=None, limit=MAX_FACTS)
        holds = await hold_views.holds_of_referral(session, referral_id, limit=MAX_HOLDS)
        messages = await message_views.messages_of_referral(
            session, referral_id, limit=MAX_MESSAGES
        )
    found = facts.items if facts else ()
    return render(
        request,
        "referral.html",
        title=f"Referral {str(referral_id)[:8]}",
        referral=view,
        explanation=explanation_of(view.stage, view.holds),
        next_step=next_step_of(view.stage, view.holds, until=view.until, now=datetime.now(UTC)),
        amounts=[of_kind(reward.amount, reward.kind) for reward in view.rewards],
        holds=holds,
        facts=Table(
            name="facts",
            columns=FACT_COLUMNS,
            rows=[_fact_row(fact) for fact in found],
            empty="Nothing was reported about this pair yet.",
        ),
        messages=Table(
            name="messages",
            columns=MESSAGE_COLUMNS,
            rows=[_message_row(message) for message in messages],
            empty="Nobody was told anything about this referral yet.",
        ),
        temporal_url=_temporal_url(config, referral_id),
    )


@router.get("/players/{player_id}")
async def show_player(
    request: Request,
    player_id: Annotated[str, Path(pattern=ID_REGEX)],
    database: Db,
    visitor: Reader,
) -> Response:
    """Show a player: balances, why the signup was attributed or not, and both sides' referrals."""
    asked = request.query_params
    position = decode_position(asked["cursor"]) if "cursor" in asked else None
    async with database.snapshot() as session:
        balance = await balances.load_player_balance(session, player_id)
        page = await referral_views.list_referrals(
            session,
            ReferralFilter(either_side=player_id),
            PageRequest(row_limit(request), position),
        )
        attempts, _ = await log_views.list_attempts(
            session,
            player_id=player_id,
            referral_id=None,
            outcome=None,
            limit=MAX_ATTEMPTS,
            after=None,
        )
    next_cursor = encode_position(page.next_position)
    table = paged_table(
        request,
        name="referrals",
        columns=COLUMNS,
        rows=[_row(view, visitor) for view in page.items],
        empty="This player is in no referral.",
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    return render(
        request,
        "player.html",
        title=f"Player {player_id}",
        player_id=player_id,
        balance=balance if visitor.may(Permission.SEE_LEDGER) else None,
        table=table,
        attempts=attempts_table(attempts),
    )


def player_cell(player_id: str) -> Linked:
    """Return a player's id that leads to their page, which needs `see referrals`."""
    return Linked(player_id, f"/console/players/{quote(player_id, safe='')}")


def _row(view: ReferralView, visitor: Visitor) -> Row:
    is_linked = visitor.may(Permission.SEE_CAMPAIGNS)
    return Row(
        (
            ShortId(view.referral_id),
            view.stage,
            player_cell(view.referrer_id),
            player_cell(view.referee_id) if view.referee_id else None,
            Linked(view.campaign, f"/console/campaigns/{view.campaign}")
            if is_linked
            else view.campaign,
            view.invited_at,
            [
                of_kind(reward.amount, reward.kind)
                for reward in view.rewards
                if reward.status in {RewardStatus.HELD, RewardStatus.ISSUED}
            ]
            or None,
        ),
        href=f"/console/referrals/{view.referral_id}",
    )


def _fact_row(fact: FactView) -> Row:
    is_said = not fact.detail or str(fact.detail) == str(fact.kind)
    what = fact.kind if is_said else f"{fact.kind}, {fact.detail}".replace("_", " ")
    effect = fact.reason if fact.counts else f"Does not count: {fact.reason}"
    return Row((fact.occurred_at, what, fact.event_id, fact.amount, effect, fact.recorded_at))


def _message_row(message: MessageView) -> Row:
    is_waiting = message.status is NotificationStatus.PENDING
    return Row(
        (
            message.caused_at,
            message.player_id,
            message.kind,
            message.status,
            message.due_at if is_waiting else message.attempted_at,
            message.locale,
            message.reason,
        )
    )


def _temporal_url(config: Settings, referral_id: UUID) -> str | None:
    if config.temporal_ui_url is None:
        return None
    namespace = quote(config.temporal.namespace or "default", safe="")
    workflow = quote(workflow_id(referral_id), safe="")
    return f"{config.temporal_ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{workflow}"
