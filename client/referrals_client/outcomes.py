"""Outcomes of a call, as values instead of exceptions."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ok(Generic[_Value]):
    """The service's answer."""

    value: _Value


@dataclass(frozen=True, slots=True)
class Refused:
    """The service rejected the call; the same call again gets the same answer."""

    code: str
    """The stable `code` of the problem+json, or `invalid_input` when nothing was sent."""
    detail: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No usable answer. Whether the service received the call is unknown; repeating it is safe."""

    why: str
    """Reason, such as `ConnectError`, `deadline` or `http 503`."""
    retry_after_s: float | None = None


UNREADABLE_ANSWER: Final = Unavailable("unreadable answer")
"""An answer that is not the service's, or not of a version that this client knows."""

Outcome = Ok[_Value] | Refused | Unavailable
