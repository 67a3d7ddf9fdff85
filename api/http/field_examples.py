"""Examples of fields, by name where one is telling and otherwise made from their schemas."""

import re
from collections.abc import Mapping
from typing import Any, Final

PREFIX: Final = "#/components/schemas/"
TIME: Final = "2026-03-01T12:00:00Z"
UUID: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MAX_DEPTH: Final = 4
"""Depth of nested objects in an example; a referral holds rewards, which hold amounts."""

BY_NAME: Final[Mapping[str, Any]] = {
    "player_id": "player-7",
    "referrer_id": "player-3",
    "referee_id": "player-7",
    "event_id": "deposit:d-99",
    "event_ids": ["deposit:d-99"],
    "deposit_event_id": "deposit:d-99",
    "deposit_id": "d-99",
    "dispute_id": "dispute-12",
    "attempt_id": "signup:player-7",
    "visitor_id": "visitor-5f2c",
    "workflow_id": f"referral:{UUID}",
    "request_id": "3f0c1d",
    "owner": "payments",
    "source": "default",
    "code": "ANN123",
    "vanity": "ANN-WINS",
    "campaign": "spring",
    "slug": "spring",
    "headline": "Bring a friend and get $10",
    "channel": "whatsapp",
    "destination": "https://book.example/signup",
    "logo_url": "https://book.example/logo.svg",
    "terms_url": "https://book.example/terms",
    "minor": 1000,
    "currency": "USD",
    "reference": "bet-7",
    "jurisdiction": "US-NJ",
    "no_inducement_in": ["CA-ON"],
    "not_in": ["CA-ON"],
    "platform": "web",
    "locale": "en-US",
    "time_zone": "America/New_York",
    "ip": "203.0.113.9",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)",
    "device_id": "device-31c",
    "device_model": "iPhone15,2",
    "os": "iOS",
    "os_version": "18.5",
    "screen": "390x844",
    "consent": True,
    "email": "ann@example.com",
    "phone": "+15550109999",
    "full_name": "Ann Example",
    "kyc_subject": "kyc-881",
    "payment_instrument": "card-fingerprint-1",
    "install_referrer": "referral_token=MTIz.abc",
    "install_version": "1.4.0",
    "universal_link": "https://refer.example/r/ANN123",
    "referral_token": "MTIz.abc",
    "url": "https://book.example/referrals/webhook",
    "types": ["RewardGranted"],
    "secret": "whsec_c2VjcmV0",
    "from": "22:00",
    "to": "08:00",
    "field": "amount.minor",
    "type": "urn:referrals:problem:validation_failed",
    "detail": "Correct the fields that `errors` names.",
    "title": "Validation failed",
    "message": "Must be given",
    "score": 35,
    "reasons": ["shared_device"],
    "reason": "a person asked for it",
    "next_cursor": None,
    "subject": "campaign:spring",
    "action": "campaign.publish",
    "value": "player-7",
}
_BY_FORMAT: Final[Mapping[str, str]] = {
    "date-time": TIME,
    "uuid": UUID,
    "duration": "P30D",
    "date": "2026-03-01",
    "uri": "https://book.example/",
}
_PLAIN: Final[Mapping[str, Any]] = {"boolean": True, "null": None}
COMBINATIONS: Final = ("anyOf", "oneOf", "allOf")


def example_of(
    name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], *, depth: int = 0
) -> Any:  # noqa: ANN401 - any JSON value
    """Return an example that the schema accepts."""
    if given := schema.get("examples"):
        return given[0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if (meant := _meant(schema, schemas)) is not None:
        return example_of(name, meant, schemas, depth=depth)
    if name in BY_NAME and _fits(BY_NAME[name], schema):
        return BY_NAME[name]
    if schema.get("type") in {"array", "object"}:
        return _nested(schema, schemas, depth=depth)
    return _scalar(schema)


def _meant(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the schema that a reference means, or the first of several alternatives."""
    if reference := schema.get("$ref"):
        meant: Mapping[str, Any] = schemas[reference.removeprefix(PREFIX)]
        return meant
    return next((schema[each][0] for each in COMBINATIONS if each in schema), None)


def _nested(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], *, depth: int
) -> list[Any] | dict[str, Any]:
    if schema["type"] == "object":
        return _object(schema, schemas, depth=depth) if "properties" in schema else {}
    if depth >= MAX_DEPTH and not schema.get("minItems"):
        return []
    return [example_of("", schema.get("items", {}), schemas, depth=depth + 1)]


def _scalar(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return max(1, int(schema.get("minimum", 1)))
    if kind == "string":
        return _BY_FORMAT.get(schema.get("format", ""), "ABC" if "pattern" in schema else "text")
    return _PLAIN.get(kind or "", {})


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    required = schema.get("required", ())
    wanted = required if depth >= MAX_DEPTH else (required or schema["properties"])
    return {
        name: example_of(name, schema["properties"][name], schemas, depth=depth + 1)
        for name in wanted
    }


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any JSON value
    names = {str: "string", int: "integer", list: "array", type(None): "null"}
    if names.get(type(value)) != schema.get("type") or schema.get("format", "uri") != "uri":
        return False
    if not isinstance(value, str):
        return True
    pattern = schema.get("pattern")
    return not pattern or re.search(pattern, value) is not None
