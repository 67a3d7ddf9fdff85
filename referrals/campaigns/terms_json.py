"""Terms as they are stored: JSON with ISO 8601 durations."""

from typing import Any, Final

from pydantic import TypeAdapter

from domain.campaigns.terms import Terms

_TERMS: Final = TypeAdapter(Terms)


def terms_json(terms: Terms) -> dict[str, Any]:
    stored: dict[str, Any] = _TERMS.dump_python(terms, mode="json")
    return stored


def terms_from(stored: dict[str, Any]) -> Terms:
    return _TERMS.validate_python(stored)
