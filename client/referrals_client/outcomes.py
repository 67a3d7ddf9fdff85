"""Outcomes of a call, as values instead of exceptions."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_Value = TypeVar("_Value")

TOO_EARLY: Final = "too_early"
"""The service's `code` for an event that is up to a day ahead of its clock."""


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
    code: str | None = None
    """The `code` of the problem+json, such as `too_early`; None where there was none."""

    @property
    def is_too_early(self) -> bool:
        """True where the service is up, and this one event's time is ahead of its clock."""
        return self.code == TOO_EARLY


UNREADABLE_ANSWER: Final = Unavailable("unreadable answer")
"""An answer that is not the service's, or not of a version that this client knows."""

Outcome = Ok[_Value] | Refused | Unavailable
