"""What becomes of a call: a value, never an exception."""

from dataclasses import dataclass
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ok(Generic[_Value]):
    """The service's answer."""

    value: _Value


@dataclass(frozen=True, slots=True)
class Refused:
    """The service understood and says no; the same call again gets the same answer."""

    code: str
    """The stable `code` of its problem+json, or `invalid_input` when it was never asked."""
    detail: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No answer that counts; whether the call was heard is unknown, and it may be repeated."""

    why: str
    """Such as `ConnectError`, `deadline` or `http 503`."""
    retry_after_s: float | None = None


Outcome = Ok[_Value] | Refused | Unavailable
