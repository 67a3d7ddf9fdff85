"""Refusals of the HTTP door: RFC 9457 problem+json with a stable code."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from api.http.field_messages import field_message
from api.http.problem_types import PROBLEM_TYPES
from db.faults import DATABASE_FAULTS, describe, is_transient
from referrals.intake.fields import TOO_EARLY
from referrals.ledger.posting import BalanceTooLargeError

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
MAX_FIELD_ERRORS: Final = 20
"""Field errors in one answer; nobody reads more of them at once."""
MAX_FIELD_PATH_CHARS: Final = 120
"""Length of a field's path in an answer; its names may be the caller's own."""
DIFFERS: Final = "Differs from what is stored under this id"
"""Message of a field whose other value an earlier request stored."""
RETRY_AFTER_S: Final = 1
"""Retry-After of a 503, in seconds."""
MAX_RETRY_AFTER_S: Final = 300
"""Retry-After of an event from the future, at most: it may be our clock that is mended."""
BODY_FIELD_DEPTH: Final = 2
"""Length of the location of a field of the body itself: `body`, and its name."""
CONFLICTING_FIELDS: Final = {
    "reference_conflict": "amount",
    "already_decided": "decision",
    "already_answered": "confirmed",
    "code_exists": "vanity",
    "code_taken": "vanity",
    "campaign_exists": "slug",
    "budget_is_funded": "budget",
}
"""Fields whose value is the conflict, by the code of the problem."""
PROBLEM_CODE_BY_STATUS: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""Codes of the refusals that the framework raises; any other status is a `bad_request`."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    message: str


METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
"""Methods that routes may have."""


class Problem(HTTPException):
    """An expected refusal; its code is a key of `PROBLEM_TYPES`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        kind = PROBLEM_TYPES[code]
        super().__init__(kind.status, detail or kind.detail, headers)
        self.code = code
        self.errors = tuple(errors)
        if not errors and code in CONFLICTING_FIELDS:
            self.errors = (FieldError(CONFLICTING_FIELDS[code], kind.title),)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal, a balance beyond its limit and a transient fault with a problem."""
    app.add_exception_handler(HTTPException, _render_http_exception)
    app.add_exception_handler(RequestValidationError, _render_validation_error)
    app.add_exception_handler(BalanceTooLargeError, _render_balance_limit)
    for fault in DATABASE_FAULTS:
        app.add_exception_handler(fault, _render_database_fault)


def invalid_field(field: str, message: str) -> Problem:
    return Problem("validation_failed", errors=[FieldError(field, message)])


def conflict(code: str, *fields: str) -> Problem:
    """Return a refusal that names the fields which differ from what was stored before."""
    return Problem(code, errors=[FieldError(field, DIFFERS) for field in fields])


def render_problem(problem: Problem) -> Response:
    body = problem_body(problem.code, problem.detail)
    if problem.errors:
        body["errors"] = [asdict(error) for error in problem.errors]
    # Escaping all but ASCII keeps a lone surrogate in a field's name printable.
    text = json.dumps(body, ensure_ascii=True)
    return Response(
        text, problem.status_code, headers=problem.headers, media_type=PROBLEM_CONTENT_TYPE
    )


def problem_body(code: str, detail: str = "") -> dict[str, Any]:
    """Return the members of RFC 9457, with the default detail unless another is given."""
    kind = PROBLEM_TYPES[code]
    return {
        "type": f"urn:referrals:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.detail,
        "code": code,
    }


def log_if_transient(fault: Exception) -> None:
    """Log a database fault that passes by itself; raise any other again."""
    if not is_transient(fault):
        raise fault
    log.warning("database_unavailable", fault=describe(fault))


async def _render_http_exception(request: Request, refusal: Exception) -> Response:
    if isinstance(refusal, Problem):
        return render_problem(refusal)
    if not isinstance(refusal, HTTPException):
        raise refusal
    code = PROBLEM_CODE_BY_STATUS.get(refusal.status_code, "bad_request")
    headers = dict(refusal.headers or {})
    if code == "method_not_allowed":
        headers["Allow"] = ", ".join(_methods_at(request))
    return render_problem(Problem(code, headers=headers))


def _methods_at(request: Request) -> list[str]:
    """Return the methods of an address; each route knows its own alone."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _render_validation_error(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, RequestValidationError):
        raise refusal
    if all(error["type"] == TOO_EARLY for error in refusal.errors()):
        return render_problem(_too_early(refusal))
    fields = _body_fields(request)
    errors = [
        FieldError(
            _field_path(error["loc"]),
            field_message(error, known=fields if len(error["loc"]) == BODY_FIELD_DEPTH else ()),
        )
        for error in refusal.errors()[:MAX_FIELD_ERRORS]
    ]
    return render_problem(Problem("validation_failed", errors=errors))


def _too_early(refusal: RequestValidationError) -> Problem:
    wait_s: int = max(error["ctx"]["retry_after_s"] for error in refusal.errors())
    return Problem("too_early", headers={"Retry-After": str(min(wait_s, MAX_RETRY_AFTER_S))})


async def _render_balance_limit(_: Request, __: Exception) -> Response:
    return render_problem(Problem("balance_limit"))


async def _render_database_fault(_: Request, fault: Exception) -> Response:
    log_if_transient(fault)
    return render_problem(Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)}))


def _field_path(location: Sequence[int | str]) -> str:
    """Return `amount.minor` for `body.amount.minor`, but `body` for the body itself."""
    inside = location[1:] if len(location) > 1 else location
    return ".".join(str(part) for part in inside)[:MAX_FIELD_PATH_CHARS]


def _body_fields(request: Request) -> tuple[str, ...]:
    """Return the names of the fields that the body of this route has."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return ()
    models = [field.field_info.annotation for field in route.dependant.body_params]
    return tuple(
        name
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields
    )
