"""Records as they are on a topic, and the reasons for which one is refused."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from confluent_kafka import Message

Headers = tuple[tuple[str, bytes | None], ...]


class Place(NamedTuple):
    """Position of a record: its topic, partition and offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, undecoded."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return the record of a message that is not an error."""
        place = Place(
            str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
        )
        return cls(place, _bytes(message.key()), _bytes(message.value()), _headers(message))


class RefusalCode(StrEnum):
    """Stable codes of what a record is refused for; no replay lifts the first seven."""

    NULL_VALUE = "null_value"
    INVALID_UTF8 = "invalid_utf8"
    MALFORMED_JSON = "malformed_json"
    TOO_DEEP = "too_deep"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_OBJECT = "not_an_object"
    KEY_MISMATCH = "key_mismatch"
    TOO_LARGE = "too_large"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    TOO_EARLY = "too_early"
    EVENT_CONFLICT = "event_conflict"
    REFUSED_BY_DATABASE = "refused_by_database"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a record is not stored: a code and a field, never what the record holds."""

    code: RefusalCode
    field: str = ""
    early_s: float = dataclasses.field(default=0, compare=False)
    """Seconds until an event that is TOO_EARLY is right; 0 for any other."""

    def __str__(self) -> str:
        return f"{self.code} {self.field}".rstrip()


def _bytes(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content


def _headers(message: Message) -> Headers:
    try:
        headers = message.headers() or ()
    except (SystemError, ValueError):
        # A name that is not UTF-8 cannot be had; no event depends on its headers.
        return ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    return tuple((name, _bytes(value)) for name, value in pairs)
