"""Sentences for fields that a request has wrong, in the words of this API and not of a library."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic_core.core_schema import ErrorType

from referrals.intake.fields import ID_REGEX

UNEXPLAINED: Final = "Is not valid; /openapi.json describes it"
"""Message for what no entry below explains."""

MESSAGES: Final[Mapping[str, str]] = {
    "missing": "Must be given",
    "extra_forbidden": "Not a field of this request",
    "string_type": "Must be a string",
    "string_too_short": "Must have at least {min_length} characters",
    "string_too_long": "Must have at most {max_length} characters",
    "string_unicode": "Must be valid Unicode",
    "int_type": "Must be a whole number, not a string, a fraction or a boolean",
    "int_parsing": "Must be a whole number",
    "int_parsing_size": "Must be a whole number of fewer digits",
    "int_from_float": "Must be a whole number, without a fraction",
    "float_type": "Must be a number",
    "float_parsing": "Must be a number",
    "finite_number": "Must be a finite number",
    "bool_type": "Must be true or false",
    "bool_parsing": "Must be true or false",
    "list_type": "Must be a list",
    "tuple_type": "Must be a list",
    "set_type": "Must be a list",
    "frozen_set_type": "Must be a list",
    "dict_type": "Must be an object",
    "model_type": "Must be an object",
    "model_attributes_type": "Must be an object",
    "dataclass_type": "Must be an object",
    "mapping_type": "Must be an object",
    "none_required": "Must be null",
    "greater_than": "Must be more than {gt}",
    "greater_than_equal": "Must be at least {ge}",
    "less_than": "Must be less than {lt}",
    "less_than_equal": "Must be at most {le}",
    "multiple_of": "Must be a multiple of {multiple_of}",
    "too_short": "Must have at least {min_length} entries",
    "too_long": "Must have at most {max_length} entries",
    "enum": "Must be one of {expected}",
    "literal_error": "Must be one of {expected}",
    "uuid_type": "Must be a UUID, such as 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "uuid_parsing": "Must be a UUID, such as 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "url_type": "Must be an absolute URL",
    "url_parsing": "Must be an absolute URL",
    "url_scheme": "Must be a URL that begins with {expected_schemes}",
    "url_too_long": "Must have at most {max_length} characters",
    "json_invalid": "Must be valid JSON",
    "date_type": "Must be a date, such as 2026-03-01",
    "date_parsing": "Must be a date, such as 2026-03-01",
    "date_from_datetime_parsing": "Must be a date, such as 2026-03-01",
    "datetime_type": "Must be an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z",
    "datetime_parsing": "Must be an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z",
    "time_parsing": "Must be a time of the day, such as 22:00",
    "timezone_aware": "Must have an offset, such as 2026-03-01T12:00:00Z",
    "decimal_type": "Must be a decimal number in a string",
    "decimal_parsing": "Must be a decimal number in a string",
    "decimal_max_places": "Must have at most {decimal_places} decimal places",
    "union_tag_invalid": "Must be one of {expected_tags}",
    "union_tag_not_found": "Must say by {discriminator} which kind it is",
}
"""Messages by the validator's type of an error, with the names of its context."""
TEXT_LENGTH_MESSAGES: Final = {
    "too_long": "Must have at most {max_length} characters",
    "too_short": "Must not be blank",
    "string_too_short": "Must not be blank",
}
"""Messages for texts, where the validator would count entries."""
PATTERN_MESSAGES: Final = {
    ID_REGEX: "Must be 1 to 64 of the characters A-Z a-z 0-9 _ . : -",
    r"^[A-Z]{3}$": "Must be an ISO 4217 currency code, such as USD",
    r"^[a-z0-9][a-z0-9-]{0,62}$": "Must be 1 to 63 of the characters a-z 0-9 -, not - first",
}
"""Messages for patterns that texts have to match."""
OWN_MESSAGES: Final = ("value_error", "assertion_error")
"""Types of errors whose messages validators of ours wrote."""
LIBRARY_TYPES: Final = frozenset(get_args(ErrorType))
"""Types of errors that the library words; all others are raised by our validators."""


def field_message(error: Mapping[str, Any], *, known: tuple[str, ...] = ()) -> str:
    """Return a sentence that says what the field must be, never its value, which may be personal.

    `known` are the names of the fields beside it, of which a misspelt one may mean another.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in OWN_MESSAGES or kind not in LIBRARY_TYPES:
        return str(error["msg"]).removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return PATTERN_MESSAGES.get(context["pattern"], f"Must match {context['pattern']}")
    if kind == "extra_forbidden" and known:
        close = get_close_matches(str(error["loc"][-1]), known, n=1)
        return f"{MESSAGES[kind]}; did you mean {close[0]}?" if close else MESSAGES[kind]
    if isinstance(error.get("input"), str) and context.get("min_length", 1) == 1:
        template = TEXT_LENGTH_MESSAGES.get(kind) or MESSAGES.get(kind, UNEXPLAINED)
    else:
        template = MESSAGES.get(kind, UNEXPLAINED)
    return template.format(**context)
