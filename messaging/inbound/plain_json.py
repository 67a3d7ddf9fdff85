"""Events in plain JSON, parsed and validated at once, where the strict way surely agrees."""

from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

MAX_PLAIN_BYTES: Final = 4096
"""Bounds a plain value, and so the digits of its numbers: Python refuses those of over 4,300."""
_Model = TypeVar("_Model", bound=BaseModel)


def read_plain(schema: type[_Model], value: bytes) -> _Model | None:
    """Return the event that `parse_json` and the schema read, or None where those are to decide.

    The parser of pydantic keeps the last of repeated keys. They are noticed by the number of
    quotation marks: without escapes, each string of the text has two, and what is dropped has at
    least one string more than what is kept.
    """
    if len(value) > MAX_PLAIN_BYTES or b"\\" in value or b"NaN" in value or b"Infinity" in value:
        return None
    try:
        event = schema.model_validate_json(value, extra="allow")
    except ValidationError:
        return None
    return event if value.count(b'"') == 2 * _strings_of(event) else None


def _strings_of(model: BaseModel) -> int:
    """Count the strings, keys and values, in the JSON that a model was read from.

    Fields that read a text read nothing else, so it is never more than there are. A blank text that
    is read as None is not counted.
    """
    content, given = model.__dict__, model.__pydantic_fields_set__
    if model.__pydantic_extra__:
        content = content | model.__pydantic_extra__
    count = len(given)
    for name in given:
        value = content[name]
        known = _STRINGS_IN.get(type(value))
        count += _strings_in(value) if known is None else known
    return count


def _strings_in(value: Any) -> int:  # noqa: ANN401 - any value of a field, or of JSON
    if isinstance(value, dict):
        return len(value) + sum(map(_strings_in, value.values()))
    if isinstance(value, list):
        return sum(map(_strings_in, value))
    if isinstance(value, str | datetime):
        return 1
    return _strings_of(value) if isinstance(value, BaseModel) else 0


_STRINGS_IN: Final = {str: 1, datetime: 1, int: 0, bool: 0, float: 0, type(None): 0}
"""Strings in values of the commonest types."""
