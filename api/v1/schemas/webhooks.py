"""Bodies of /v1/webhooks."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema

from api.v1.schemas.fields import NonBlankText, RequestBody, ResponseBody
from domain.webhooks.addresses import MAX_URL_CHARS, Addresses, url_refusal
from domain.webhooks.event_types import ALL_EVENTS, EVENTS, NOTIFICATION, SUBSCRIBABLE
from referrals.webhooks.delivery_views import DeliveryStatus
from referrals.webhooks.results import DisabledReason
from referrals.webhooks.subscriptions import WebhookStatus

_TYPES: Final = (ALL_EVENTS, *sorted(EVENTS), NOTIFICATION)


def _check_type(text: str) -> str:
    if text not in SUBSCRIBABLE:
        raise ValueError("Must be `*`, `Notification` or a type of the events out")
    return text


def _check_url(text: str) -> str:
    refusal = url_refusal(text, Addresses.ANY)
    if refusal is not None:
        raise ValueError(refusal)
    return text


EventType = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(_check_type),
    WithJsonSchema({"type": "string", "enum": list(_TYPES)}),
]
WebhookUrl = Annotated[
    NonBlankText,
    Field(max_length=MAX_URL_CHARS, json_schema_extra={"format": "uri"}),
    AfterValidator(_check_url),
]


class WebhookIn(RequestBody):
    """An endpoint, and the types of events that it asks for."""

    url: WebhookUrl = Field(
        description="Absolute http or https URL without credentials and fragment; where"
        " `REFERRALS_WEBHOOK_ADDRESSES` is `public`, https and a public address alone"
    )
    types: Annotated[list[EventType], Field(min_length=1, max_length=64)] = Field(
        description="`*` is every event, those of later releases too; `Notification` is asked for"
        " by name"
    )


class WebhookSecretOut(ResponseBody):
    """A new secret, which no other answer shows."""

    webhook_id: UUID
    secret: str = Field(description="`whsec_` and base64, as Standard Webhooks writes it")


class WebhookOut(ResponseBody):
    """An endpoint, without its secrets."""

    webhook_id: UUID
    url: str
    types: list[str]
    owner: str = Field(description="Owner of the API key that created it")
    status: WebhookStatus
    created_at: datetime
    active_since: datetime = Field(description="Events written before are not delivered")
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None = Field(
        description="First failure since the last success; null while it succeeds"
    )


class DeliveryOut(ResponseBody):
    """One event for one endpoint, with the last attempt's result."""

    delivery_id: UUID
    event_id: UUID = Field(description="The `webhook-id` of every attempt")
    type: str
    status: DeliveryStatus
    attempts: int = Field(description="Attempts begun")
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None = Field(description="Null once it is delivered or failed")
    last_status: int | None = Field(description="HTTP status of the last answer")
    last_error: str | None = Field(
        description="`http_status`, `redirect`, `timeout`, `connection_failed`, `tls_failed`,"
        " `dns_failed`, `address_refused`, `event_gone`, `signing_key_changed` or `internal`"
    )
