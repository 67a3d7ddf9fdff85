"""Events as they are sent: checked as far as can be said without asking, and then fixed bytes."""

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
LARGEST_MINOR: Final = 10**15
LONGEST_TEXT: Final = 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way to POST /v1/events/{door}."""

    door: str
    event_id: str
    player_id: str
    body: bytes = field(repr=False)
    """JSON; it may hold personal data, so it is not shown."""

    @property
    def path(self) -> str:
        return f"/v1/events/{self.door}"


def build_event(door: str, fields: Mapping[str, object], *, at: datetime) -> Event:
    """The event; ValueError, without the value, for what the service would refuse."""
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
        raise ValueError("1 to 64 of A-Z a-z 0-9 _ . : - are needed")
    return value


def _required_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text is needed")
    return _optional_text(value)


def _optional_text(value: object) -> str:
    """An optional text may be blank: the service takes that as not given."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or UNSTORABLE.search(value):
        raise ValueError(f"text of at most {LONGEST_TEXT} characters is needed")
    return value


def _free_text(value: object) -> str:
    """What a person typed or a browser sent: the service hears the signup whatever it is."""
    if not isinstance(value, str):
        raise ValueError("text is needed")  # noqa: TRY004 - as all that is refused
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)[:LONGEST_TEXT]


def _currency(value: object) -> str:
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        raise ValueError("a currency of ISO 4217 is needed")
    return value


def _time(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("a datetime with a time zone is needed")
    return value.astimezone(UTC).isoformat()


def _money(value: object) -> dict[str, object]:
    if not isinstance(value, Money):
        raise ValueError("Money is needed")  # noqa: TRY004 - as all that is refused
    if type(value.minor) is not int or not 1 <= value.minor <= LARGEST_MINOR:
        raise ValueError("whole minor units, at least one, are needed")
    return {"minor": value.minor, "currency": _currency(value.currency)}


def _one_of(*words: str) -> "Check":
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"one of {', '.join(words)} is needed")
        return value

    return check


Check = Callable[[object], Any]
Checks = Mapping[str, Check]

_COMMON_FIELDS: Final[Checks] = {"event_id": _id, "player_id": _id, "occurred_at": _time}
_FREE_TEXT_FIELDS: Final = ("referral_token", "cookie_token", "code", "locale", "user_agent")
_SIGNUP_TEXT_FIELDS: Final = ("ip", "device_id", "email", "phone", "kyc_subject", "full_name")
_DEPOSIT_TEXT_FIELDS: Final = ("payment_instrument", "method", "ip", "device_id", "jurisdiction")
_CHARGEBACK_KIND: Final = _one_of("refund", "chargeback", "chargeback_won")
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
        },
    ),
    "deposits": (
        {**_COMMON_FIELDS, "deposit_id": _id, "amount": _money},
        dict.fromkeys(_DEPOSIT_TEXT_FIELDS, _optional_text),
    ),
    "chargebacks": (
        {**_COMMON_FIELDS, "deposit_id": _id, "kind": _CHARGEBACK_KIND},
        {"amount": _money},
    ),
    "wagers": ({**_COMMON_FIELDS, "stake": _money}, {}),
    "players": ({**_COMMON_FIELDS, "status": _PLAYER_STATUS}, {}),
}
"""Of each door the required and the optional fields, and how each is checked."""
