"""Webhooks: endpoints that events are delivered to, and their deliveries."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, WebhookKey
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.schemas.webhooks import DeliveryOut, WebhookIn, WebhookOut, WebhookSecretOut
from domain.webhooks.addresses import url_refusal
from referrals.webhooks import delivery_views, subscriptions
from referrals.webhooks.delivery_views import DeliveryStatus, RetryRefusal

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=StrictRoute)
Operator = Annotated[Caller, Depends(requires("webhooks:write"))]

BY_API: Final = "through the API"
"""Reason in the audit: these routes ask for none."""
NOT_STORED: Final = {"Cache-Control": "no-store"}
"""For answers with a secret."""
UNKNOWN: Final = problem_responses("unknown_webhook")


@router.post("", status_code=201, responses=problem_responses("too_many_webhooks", *BODY_PROBLEMS))
async def create_webhook(  # noqa: PLR0917 - FastAPI passes each by its name
    body: WebhookIn,
    database: Db,
    settings: Config,
    key: WebhookKey,
    operator: Operator,
    response: Response,
) -> WebhookSecretOut:
    """Create a webhook for events from now on, and return its secret, this once.

    Not idempotent: each call creates one. 422 for an unknown type, or a URL that is not allowed;
    409 `too_many_webhooks` when there are 100.
    """
    refusal = url_refusal(body.url, settings.webhook_addresses)
    if refusal is not None:
        raise invalid_field("url", refusal)
    async with database.transaction() as session:
        created = await subscriptions.create(
            session, url=body.url, types=body.types, key=key, actor=operator.actor(BY_API)
        )
        if created is None:
            raise Problem("too_many_webhooks")
    response.headers.update(NOT_STORED)
    return WebhookSecretOut.model_validate(created)


@router.get("")
async def list_webhooks(part: PageQuery, database: Db, _: Operator) -> PageOut[WebhookOut]:
    """List webhooks, newest first, without their secrets."""
    async with database.reading() as session:
        return page_out(WebhookOut, await subscriptions.list_webhooks(session, part))


@router.get("/{webhook_id}", responses=UNKNOWN)
async def show_webhook(webhook_id: UUID, database: Db, _: Operator) -> WebhookOut:
    """Return a webhook without its secrets; 404 `unknown_webhook`."""
    async with database.reading() as session:
        found = await subscriptions.find(session, webhook_id)
    if found is None:
        raise Problem("unknown_webhook")
    return WebhookOut.model_validate(found)


@router.delete("/{webhook_id}", status_code=204, responses=UNKNOWN)
async def delete_webhook(webhook_id: UUID, database: Db, operator: Operator) -> None:
    """Delete a webhook: nothing more is delivered, and its secrets end. 404 `unknown_webhook`."""
    async with database.transaction() as session:
        if not await subscriptions.delete(session, webhook_id, operator.actor(BY_API)):
            raise Problem("unknown_webhook")


@router.post("/{webhook_id}/rotate", responses=UNKNOWN)
async def rotate_secret(
    webhook_id: UUID, database: Db, key: WebhookKey, operator: Operator, response: Response
) -> WebhookSecretOut:
    """Give a webhook a new secret, and return it, this once.

    The secret before signs for 24 hours more: `webhook-signature` then has a signature of each.
    Not idempotent: each call makes a new one. 404 `unknown_webhook`.
    """
    async with database.transaction() as session:
        rotated = await subscriptions.rotate(
            session, webhook_id, key=key, actor=operator.actor(BY_API)
        )
        if rotated is None:
            raise Problem("unknown_webhook")
    response.headers.update(NOT_STORED)
    return WebhookSecretOut.model_validate(rotated)


@router.post("/{webhook_id}/enable", responses=UNKNOWN)
async def enable_webhook(webhook_id: UUID, database: Db, operator: Operator) -> WebhookOut:
    """Enable a disabled webhook for events from now on; an enabled one stays as it is.

    What was not delivered before stays `failed`, and can be sent again one by one.
    404 `unknown_webhook`.
    """
    async with database.transaction() as session:
        enabled = await subscriptions.enable(session, webhook_id, operator.actor(BY_API))
        if enabled is None:
            raise Problem("unknown_webhook")
        return WebhookOut.model_validate(enabled)


@router.get("/{webhook_id}/deliveries", responses=UNKNOWN)
async def list_deliveries(
    webhook_id: UUID,
    part: PageQuery,
    database: Db,
    _: Operator,
    status: Annotated[DeliveryStatus | None, Query()] = None,
) -> PageOut[DeliveryOut]:
    """List a webhook's deliveries, newest first; finished ones are kept for 30 days.

    404 `unknown_webhook`.
    """
    async with database.reading() as session:
        if await subscriptions.find(session, webhook_id) is None:
            raise Problem("unknown_webhook")
        page = await delivery_views.list_deliveries(session, webhook_id, part, status=status)
    return page_out(DeliveryOut, page)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/retry",
    status_code=202,
    responses=problem_responses("unknown_webhook", "unknown_delivery", "webhook_disabled"),
)
async def retry_delivery(
    webhook_id: UUID, delivery_id: UUID, database: Db, operator: Operator
) -> DeliveryOut:
    """Send a delivery again at once, whatever became of it, with the same `webhook-id`.

    404 `unknown_webhook`, `unknown_delivery`; 409 `webhook_disabled`.
    """
    async with database.transaction() as session:
        asked = await delivery_views.ask_again(
            session, webhook_id, delivery_id, operator.actor(BY_API)
        )
        if isinstance(asked, RetryRefusal):
            raise Problem(asked.value)
        return DeliveryOut.model_validate(asked)
