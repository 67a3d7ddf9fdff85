"""Operations: what waits, what fails, and what has to be sent again."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.dead_letters import list_letters
from api.console.pages import PageRoute, render
from api.console.sign_in import see
from api.console.tables import (
    Column,
    Filter,
    Kind,
    Row,
    ShortId,
    Table,
    chosen,
    csv_answer,
    paged_table,
    row_limit,
    wants_csv,
)
from api.http.dependencies import Config, Db
from api.http.errors import Problem
from api.http.paging import decode_position, encode_position
from db.engine import ReadSession
from db.paging import PageRequest
from domain.wallet.orders import OrderStatus
from referrals.access.console.roles import Permission
from referrals.reporting import operations
from referrals.verification.lag import load_lag
from referrals.webhooks import delivery_views, subscriptions
from referrals.webhooks.delivery_views import DeliveryStatus, RetryRefusal

router = APIRouter(prefix="/console/operations", include_in_schema=False, route_class=PageRoute)
Reader = Annotated[Visitor, Depends(may(Permission.SEE_OPERATIONS))]
Acting = Annotated[Form, Depends(form_of(Permission.RETRY_DELIVERIES))]
MAX_WEBHOOKS: Final = 50
DELIVERY_COLUMNS: Final = (
    Column("Referral", Kind.ID),
    Column("What", Kind.WORD),
    Column("Event", Kind.ID),
    Column("Attempts", Kind.NUMBER),
    Column("Since", Kind.TIME),
    Column("Next attempt", Kind.TIME),
)
OVERDUE_COLUMNS: Final = (
    Column("Referral", Kind.ID),
    Column("Stage", Kind.BADGE),
    Column("Was due", Kind.TIME),
)
ORDER_COLUMNS: Final = (
    Column("Order", Kind.ID),
    Column("Status", Kind.BADGE),
    Column("Kind", Kind.WORD),
    Column("Player", Kind.ID),
    Column("Amount", Kind.MONEY),
    Column("Attempts", Kind.NUMBER),
    Column("Trouble"),
    Column("Written", Kind.TIME),
)
WEBHOOK_COLUMNS: Final = (
    Column("Webhook", Kind.ID),
    Column("Status", Kind.BADGE),
    Column("Address"),
    Column("Owner"),
    Column("Failing since", Kind.TIME),
)
SENT_COLUMNS: Final = (
    Column("Delivery", Kind.ID),
    Column("Type"),
    Column("Status", Kind.BADGE),
    Column("Attempts", Kind.NUMBER),
    Column("Answer"),
    Column("Last attempt", Kind.TIME),
)


@router.get("")
async def show_operations(request: Request, database: Db, config: Config, _: Reader) -> Response:
    """Show what is late or failing, and the wallet's orders by status."""
    async with database.reading() as session:
        orders, next_cursor = await _orders(request, session)
        if wants_csv(request):
            return csv_answer(orders, next_cursor=next_cursor)
        lag, overdue = await load_lag(session), await _overdue(session)
        undelivered = await _undelivered(session)
        deferred = await operations.count_deferred(session)
        webhooks = await subscriptions.list_webhooks(session, PageRequest(MAX_WEBHOOKS))
    return render(
        request,
        "operations.html",
        title="Operations",
        lag=lag,
        deferred=f"{deferred:,}" if deferred < operations.MOST_COUNTED else f"{deferred:,} or more",
        dead_letters=await list_letters(config, database),
        undelivered=undelivered,
        overdue=overdue,
        orders=orders,
        webhooks=Table(
            name="webhooks",
            columns=WEBHOOK_COLUMNS,
            rows=[
                Row(
                    (ShortId(one.webhook_id), one.status, one.url, one.owner, one.failing_since),
                    href=f"/console/operations/webhooks/{one.webhook_id}",
                )
                for one in webhooks.items
            ],
            empty="No webhook is registered. POST /v1/webhooks registers one.",
        ),
    )


@router.get("/webhooks/{webhook_id}")
async def show_webhook(
    request: Request, webhook_id: UUID, database: Db, visitor: Reader
) -> Response:
    """Show a webhook's deliveries, newest first, by status."""
    asked = request.query_params
    status = chosen(request, "status", DeliveryStatus)
    position = decode_position(asked["cursor"]) if "cursor" in asked else None
    async with database.reading() as session:
        webhook = await subscriptions.find(session, webhook_id)
        if webhook is None:
            raise Problem("unknown_webhook")
        page = await delivery_views.list_deliveries(
            session,
            webhook_id,
            PageRequest(row_limit(request), position),
            status=DeliveryStatus(status) if status else None,
        )
    next_cursor = encode_position(page.next_position)
    table = paged_table(
        request,
        name="deliveries",
        columns=SENT_COLUMNS,
        rows=[
            Row(
                (
                    one.delivery_id,
                    one.type,
                    one.status,
                    one.attempts,
                    one.last_error or one.last_status,
                    one.last_attempt_at,
                )
            )
            for one in page.items
        ],
        empty="No delivery matches.",
        filters=(
            Filter(name="status", label="Status", value=status or "", choices=list(DeliveryStatus)),
        ),
        next_cursor=next_cursor,
    )
    if wants_csv(request):
        return csv_answer(table, next_cursor=next_cursor)
    may_retry = visitor.may(Permission.RETRY_DELIVERIES)
    failed = [
        one.delivery_id for one in page.items if may_retry and one.status is DeliveryStatus.FAILED
    ]
    return render(
        request, "webhook.html", title="Webhook", webhook=webhook, table=table, failed=failed
    )


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/retry")
async def retry_delivery(
    webhook_id: UUID, delivery_id: UUID, database: Db, form: Acting
) -> Response:
    """Make a failed delivery due again."""
    actor = form.actor
    async with database.transaction() as session:
        outcome = await delivery_views.ask_again(session, webhook_id, delivery_id, actor)
        if isinstance(outcome, RetryRefusal):
            raise Problem(outcome)
    return see(f"/console/operations/webhooks/{webhook_id}?done=retry")


async def _undelivered(session: ReadSession) -> Table:
    return Table(
        name="undelivered",
        columns=DELIVERY_COLUMNS,
        rows=[
            Row(
                (
                    ShortId(one.referral_id),
                    one.kind,
                    one.event_id,
                    one.attempts,
                    one.since,
                    one.next_attempt_at,
                ),
                href=f"/console/referrals/{one.referral_id}",
            )
            for one in await operations.waiting_deliveries(session)
        ],
        empty="Every fact has reached its workflow.",
    )


async def _overdue(session: ReadSession) -> Table:
    return Table(
        name="overdue",
        columns=OVERDUE_COLUMNS,
        rows=[
            Row(
                (ShortId(one.referral_id), one.stage, one.until),
                href=f"/console/referrals/{one.referral_id}",
            )
            for one in await operations.overdue_referrals(session)
        ],
        empty="No referral is past its deadline.",
    )


async def _orders(request: Request, session: ReadSession) -> tuple[Table, str | None]:
    asked = request.query_params
    status = chosen(request, "status", OrderStatus)
    page = await operations.list_orders(
        session,
        PageRequest(
            row_limit(request), decode_position(asked["cursor"]) if "cursor" in asked else None
        ),
        status=OrderStatus(status) if status else None,
    )
    next_cursor = encode_position(page.next_position)
    table = paged_table(
        request,
        name="orders",
        columns=ORDER_COLUMNS,
        rows=[
            Row(
                (
                    ShortId(one.order_id),
                    one.status,
                    one.kind,
                    one.player_id,
                    one.amount,
                    one.attempts,
                    one.trouble,
                    one.created_at,
                ),
                href=f"/console/ledger/rewards/{one.reward_id}",
            )
            for one in page.items
        ],
        empty="No payment order matches. Without a wallet there are none.",
        filters=(
            Filter(name="status", label="Status", value=status or "", choices=list(OrderStatus)),
        ),
        next_cursor=next_cursor,
    )
    return table, next_cursor
