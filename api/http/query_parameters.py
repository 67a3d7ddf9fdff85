"""Query parameters that a route does not have, which are refused and never ignored."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.http.errors import MAX_FIELD_ERRORS, MAX_FIELD_PATH_CHARS, FieldError, Problem

NO_PARAMETERS: Final = "This route has no query parameters"


def refuse_unknown_parameters(request: Request) -> None:
    """Raise 422 for a query parameter that the route does not have, or one that is given twice.

    A misspelt filter would otherwise list everybody.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = sorted(set(_parameters(route.dependant)))
    errors = [
        FieldError(name[:MAX_FIELD_PATH_CHARS], _message(name, known))
        for name, count in Counter(name for name, _ in request.query_params.multi_items()).items()
        if name not in known or count > 1
    ]
    if errors:
        raise Problem("validation_failed", errors=errors[:MAX_FIELD_ERRORS])


def _parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _parameters(each)


def _message(name: str, known: list[str]) -> str:
    if name in known:
        return "Must not appear twice"
    if not known:
        return NO_PARAMETERS
    close = get_close_matches(name, known, n=1)
    if close:
        return f"Not a parameter of this route; did you mean {close[0]}?"
    return f"Not a parameter of this route; it has {', '.join(known)}"
