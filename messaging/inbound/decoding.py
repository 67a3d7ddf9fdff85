"""Records of each topic as facts, or the reason why one is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from db.faults import describe, locate
from db.reporters import Reporter
from domain.intake.sources import DEFAULT_SOURCE
from domain.intake.strict_json import (
    BYTE_ORDER_MARK,
    MalformedJsonError,
    RepeatedKeyError,
    TooDeepJsonError,
    parse_json,
)
from domain.privacy import BatchHasher, Hasher
from messaging import topics
from messaging.inbound.plain_json import read_plain
from messaging.records import Record, Refusal, RefusalCode
from referrals.intake.events import (
    ChargebackIn,
    DepositIn,
    EventIn,
    SignupIn,
    StatusChangeIn,
    WagerIn,
    WithdrawalIn,
    first_fault,
    read_event,
)
from referrals.intake.facts import Report
from referrals.intake.fields import TOO_EARLY, PositiveMoneyIn
from referrals.intake.origins import Networks
from runtime.settings import Settings

SCHEMAS: Final[Mapping[str, type[EventIn]]] = {
    topics.SIGNUPS: SignupIn,
    topics.DEPOSITS: DepositIn,
    topics.CHARGEBACKS: ChargebackIn,
    topics.WAGERS: WagerIn,
    topics.WITHDRAWALS: WithdrawalIn,
    topics.STATUS_CHANGES: StatusChangeIn,
}
"""Schema of each topic. A record may have more fields than its schema: they are ignored."""
MAX_VALUE_BYTES: Final = 65_536
"""Size of a value, as large as the body of a request may be."""
_MODELS: Final[tuple[type[BaseModel], ...]] = (PositiveMoneyIn, *SCHEMAS.values())
_FIELDS: Final = frozenset(name for model in _MODELS for name in model.model_fields)
"""Names that a reason may name: any other key of a record is its own content."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Decoder:
    """Turns records into facts, by the schema of their topic.

    The same record gives the same answer, but for the clock: an event may be too early.
    """

    hasher: Hasher
    schemas: Mapping[str, type[EventIn]] = field(default_factory=lambda: SCHEMAS)
    sources: Mapping[str, str] = field(default_factory=dict)
    """Source of a topic's events, where it is not the default one."""
    max_value_bytes: int = MAX_VALUE_BYTES
    networks: Networks | None = None

    @classmethod
    def of(cls, settings: Settings, networks: Networks | None = None) -> Self:
        return cls(
            settings.hasher,
            max_value_bytes=settings.body_limit_bytes,
            sources=settings.kafka_topic_sources,
            networks=networks,
        )

    def __post_init__(self) -> None:
        if unknown := sorted(self.sources.keys() - self.schemas.keys()):
            raise ValueError(f"{', '.join(unknown)}: not a topic that is read")

    def decode_all(self, records: Sequence[Record]) -> list[Report | Refusal]:
        """Decode a batch as `decode` does its records.

        All are read before the first is made a fact: one step's code and tables stay in the
        processor's caches, which saves a sixth of the time.
        """
        decoder = replace(self, hasher=BatchHasher(self.hasher))
        events = [_refusing(record, decoder._read, record) for record in records]  # noqa: SLF001 - its own
        return [
            event
            if isinstance(event, Refusal)
            else _refusing(record, decoder._report, event, record)  # noqa: SLF001
            for event, record in zip(events, records, strict=True)
        ]

    def decode(self, record: Record) -> Report | Refusal:
        """Return the fact with its personal fields hashed, or why the record is refused."""
        return _refusing(record, lambda: self._report(self._read(record), record))

    def _read(self, record: Record) -> EventIn:
        schema, value = self.schemas[record.place.topic], record.value
        if value is None:
            raise RefusedError(RefusalCode.NULL_VALUE)
        if len(value) > self.max_value_bytes:
            raise RefusedError(RefusalCode.TOO_LARGE)
        return read_plain(schema, value) or read_strictly(schema, value)

    def _report(self, event: EventIn, record: Record) -> Report:
        if record.key is not None and record.key != event.player_id.encode():
            raise RefusedError(RefusalCode.KEY_MISMATCH)
        topic = record.place.topic
        source = self.sources.get(topic, DEFAULT_SOURCE)
        reporter = Reporter(topic, str(record.place))
        return event.to_report(self.hasher, self.networks, source=source, reporter=reporter)


_Result = TypeVar("_Result")


def _refusing(
    record: Record, step: Callable[..., _Result], *arguments: object
) -> _Result | Refusal:
    """Return what a step of decoding a record returns, or why the record is refused."""
    try:
        return step(*arguments)
    except RefusedError as refused:
        return refused.refusal
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - a fault of ours, which depends on this record alone
        place = str(record.place)
        log.error("record_unreadable", place=place, error=describe(fault), at=locate(fault))  # noqa: TRY400 - its text may quote the record
        return Refusal(RefusalCode.UNREADABLE)


def read_strictly(schema: type[EventIn], value: bytes) -> EventIn:
    """Return the event of a value, or raise RefusedError with the first reason against it."""
    return _validate(schema, _parse(_text(value)))


class RefusedError(Exception):
    """A record that no fact can be made of."""

    def __init__(self, code: RefusalCode, name: str = "", *, early_s: float = 0) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, name, early_s)


def _text(value: bytes) -> str:
    try:
        return value.decode().removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as fault:
        raise RefusedError(RefusalCode.INVALID_UTF8) from fault


def _parse(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return parse_json(text)
    except TooDeepJsonError as fault:
        raise RefusedError(RefusalCode.TOO_DEEP) from fault
    except MalformedJsonError as fault:
        raise RefusedError(RefusalCode.MALFORMED_JSON) from fault
    except RepeatedKeyError as fault:
        name = fault.key if fault.key in _FIELDS else ""
        raise RefusedError(RefusalCode.DUPLICATE_KEY, name) from fault


def _validate(schema: type[EventIn], body: Any) -> EventIn:  # noqa: ANN401 - any JSON value
    if not isinstance(body, dict):
        raise RefusedError(RefusalCode.NOT_AN_OBJECT)
    try:
        return read_event(schema, body)
    except ValidationError as fault:
        first = first_fault(fault)
        name = ".".join(str(part) for part in first["loc"])
        code = _CODES.get(first["type"], RefusalCode.INVALID_FIELD)
        early_s = first["ctx"]["retry_after_s"] if code is RefusalCode.TOO_EARLY else 0
        raise RefusedError(code, name, early_s=early_s) from fault


_CODES: Final = {"missing": RefusalCode.MISSING_FIELD, TOO_EARLY: RefusalCode.TOO_EARLY}
