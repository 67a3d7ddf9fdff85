"""The JSON of what workflows, activities and clients send each other, by pydantic."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

from domain.intake.direct_signals import LooseObject
from domain.intake.strict_json import parse_json


class _MarkingJson(PydanticJSONPlainPayloadConverter):
    """The JSON of `temporalio.contrib.pydantic`, which marks objects that no other door would take.

    They are read all the same: what a workflow has read once it reads in every replay.
    """

    def from_payload(self, payload: Payload, type_hint: type[Any] | None = None) -> Any:  # noqa: ANN401 - as the SDK types it
        value = super().from_payload(payload, type_hint)
        if type_hint != dict[str, Any]:
            return value
        try:
            parse_json(payload.data)
        except ValueError:
            return LooseObject(value)
        return value


# The SDK makes a converter for each run of a workflow, and each builds the schemas of the types
# that it meets. The types are the same in all runs, since their modules pass through the sandbox.
_SHARED_JSON: Final = _MarkingJson()

_JSON_ENCODING: Final = b"json/plain"
_PLAIN_ENCODINGS: Final = frozenset(
    converter.encoding.encode()
    for converter in DefaultPayloadConverter.default_encoding_payload_converters
)


class UnreadablePayloadError(ValueError):
    """A payload that is not of the expected type."""


class SharedPayloadConverter(CompositePayloadConverter):
    """The converters of `temporalio.contrib.pydantic`, with one cache of schemas for all runs."""

    def __init__(self) -> None:
        super().__init__(
            *(
                _SHARED_JSON if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )

    def from_payloads(
        self,
        payloads: Sequence[Payload],
        type_hints: list[type[Any]] | None = None,
    ) -> list[Any]:
        """Read payloads; a fault names what was expected, and nothing of what came.

        Temporal's SDK logs such faults and keeps them in histories, and anyone may have sent it.
        """
        try:
            return super().from_payloads(payloads, type_hints)
        except Exception as fault:  # noqa: BLE001 - converters raise whatever they like
            raise UnreadablePayloadError(_explanation(fault, type_hints)) from None


def is_plain(payload: Payload) -> bool:
    """Return whether a payload is in the clear: in a converter's encoding, and JSON if it says so.

    Anything else was encoded by a codec that this process does not have, or with another key.
    """
    encoding = payload.metadata.get("encoding", b"")
    if encoding == _JSON_ENCODING:
        try:
            from_json(payload.data)
        except ValueError:
            return False
    return encoding in _PLAIN_ENCODINGS


def _explanation(fault: Exception, type_hints: list[type[Any]] | None) -> str:
    expected = ", ".join(getattr(hint, "__name__", "a value") for hint in type_hints or ())
    kinds = {one["type"] for one in fault.errors()} if isinstance(fault, ValidationError) else ()
    why = ", ".join(sorted(kinds)) or type(fault).__name__
    return f"a payload cannot be read as {expected or 'a value'}: {why}"


DATA_CONVERTER: Final = DataConverter(payload_converter_class=SharedPayloadConverter)
