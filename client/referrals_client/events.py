"""Events, checked by the service's rules and encoded before they enter the queue."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from referrals_client.money import Money

ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
CURRENCY: Final = re.compile(r"[A-Z]{3}")
UNSTORABLE: Final = re.compile(r"[\0\ud800-\udfff]")
MAX_MINOR_UNITS: Final = 10**15
"""The service's bound of an amount."""
MAX_TEXT_CHARS: Final = 1024
"""The service truncates free text here; its shorter bounds of other texts are its own to check."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way to POST /v1/events/{door}."""

    door: str
    event_id: str
    player_id: str
    body: bytes = field(repr=False)
    """JSON. It may contain personal data, so `repr` leaves it out."""

    @property
    def path(self) -> str:
        return f"/v1/events/{self.door}"


def build_event(door: str, fields: Mapping[str, object], *, at: datetime) -> Event:
    """Return the event, or raise ValueError (never naming the value) for invalid fields."""
    required, optional = FIELD_CHECKS[door]
    unknown = fields.keys() - required.keys() - optional.keys()
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    with_time = {"occurred_at": at, **fields}
    body = {
        name: _check_field(name, with_time.get(name), check) for name, check in required.items()
    }
    for name, check in optional.items():
        if fields.get(name) is not None:
            body[name] = _check_field(name, fields[name], check)
    content = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
    return Event(door, body["event_id"], body["player_id"], content)


def _check_field(name: str, value: object, check: "Check") -> Any:  # noqa: ANN401 - any JSON
    try:
        return check(value)
    except ValueError as fault:
        raise ValueError(f"{name}: {fault}") from None


def _id(value: object) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise ValueError("must have 1 to 64 of A-Z a-z 0-9 _ . : -")
    return value


def _required_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not blank")
    return _optional_text(value)


def _optional_text(value: object) -> str:
    """Return a text, which may be blank: the service treats that as unknown."""
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or UNSTORABLE.search(value):
        raise ValueError(f"must be a text of at most {MAX_TEXT_CHARS} characters")
    return value


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - one type for all invalid fields
    return value


def _free_text(value: object) -> str:
    """Truncate and clean text from a person, browser or proxy, so that it cannot fail an event."""
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 - one type for all invalid fields
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)[:MAX_TEXT_CHARS]


def _currency(value: object) -> str:
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        raise ValueError("must be an ISO 4217 currency code")
    return value


def utc_text(value: object) -> str:
    """Return an aware datetime as ISO 8601 in UTC; ValueError for anything else."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a datetime with a time zone")
    return value.astimezone(UTC).isoformat()


def _money(value: object) -> dict[str, object]:
    if not isinstance(value, Money):
        raise ValueError("must be Money")  # noqa: TRY004 - one type for all invalid fields
    if type(value.minor) is not int or not 1 <= value.minor <= MAX_MINOR_UNITS:
        raise ValueError(f"must be whole minor units from 1 to {MAX_MINOR_UNITS}")
    return {"minor": value.minor, "currency": _currency(value.currency)}


def _one_of(*words: str) -> "Check":
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return check


Check = Callable[[object], Any]
Checks = Mapping[str, Check]

_COMMON_FIELDS: Final[Checks] = {"event_id": _id, "player_id": _id, "occurred_at": utc_text}
_FREE_TEXT_FIELDS: Final = ("referral_token", "cookie_token", "code", "locale", "user_agent", "ip")
_SIGNUP_TEXT_FIELDS: Final = (
    "device_id", "email", "phone", "kyc_subject", "full_name", "accepted_terms",
)  # fmt: skip
_DEPOSIT_TEXT_FIELDS: Final = ("payment_instrument", "method", "device_id", "jurisdiction")
_CHARGEBACK_KIND: Final = _one_of("refund", "refund_failed", "chargeback", "chargeback_won")
_PLAYER_STATUS: Final = _one_of("verified", "self_excluded", "closed", "restored")

FIELD_CHECKS: Final[Mapping[str, tuple[Checks, Checks]]] = {
    "signups": (
        {
            **_COMMON_FIELDS,
            "platform": _required_text,
            "jurisdiction": _required_text,
            "currency": _currency,
        },
        {
            **dict.fromkeys(_FREE_TEXT_FIELDS, _free_text),
            **dict.fromkeys(_SIGNUP_TEXT_FIELDS, _optional_text),
            "consent": _boolean,
        },
    ),
    "deposits": (
        {**_COMMON_FIELDS, "deposit_id": _id, "amount": _money},
        {
            "ip": _free_text,
            **dict.fromkeys(_DEPOSIT_TEXT_FIELDS, _optional_text),
            "consent": _boolean,
        },
    ),
    "chargebacks": (
        {**_COMMON_FIELDS, "deposit_id": _id, "kind": _CHARGEBACK_KIND},
        {"amount": _money, "dispute_id": _id},
    ),
    "wagers": ({**_COMMON_FIELDS, "stake": _money}, {}),
    "withdrawals": (
        {**_COMMON_FIELDS, "withdrawal_id": _id, "amount": _money},
        {"payment_instrument": _optional_text},
    ),
    "players": ({**_COMMON_FIELDS, "status": _PLAYER_STATUS}, {}),
}
"""The required and the optional fields of each door, with their checks."""
