"""Refusals of the HTTP door: RFC 9457 problem+json with a stable code."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db.faults import DATABASE_FAULTS, is_transient

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
MAX_FIELD_ERRORS: Final = 20
"""Field errors in one answer; nobody reads more of them at once."""
MAX_FIELD_PATH_CHARS: Final = 120
"""Length of a field's path in an answer; its names may be the caller's own."""
RETRY_AFTER_S: Final = 1
"""Retry-After of a 503, in seconds."""
PROBLEM_TYPES: Final[dict[str, tuple[int, str]]] = {
    "malformed_json": (400, "The body is not JSON"),
    "bad_request": (400, "The request cannot be read"),
    "unauthorized": (401, "A valid API key is needed"),
    "missing_scope": (403, "The API key does not open this"),
    "not_found": (404, "There is nothing at this address"),
    "unknown_code": (404, "There is no such code"),
    "unknown_campaign": (404, "There is no such campaign"),
    "unknown_referral": (404, "There is no such referral"),
    "unknown_player": (404, "No signup of this player was heard"),
    "unknown_attempt": (404, "There is no such attempt in the attribution log"),
    "unknown_rebind": (404, "There is no such rebind"),
    "unknown_review": (404, "There is no such review"),
    "method_not_allowed": (405, "This address has other methods"),
    "event_conflict": (409, "This event id was used with other content"),
    "code_taken": (409, "This code belongs to another player"),
    "code_exists": (409, "This player already has another code in this campaign"),
    "campaign_not_open": (409, "The campaign gives out no codes now"),
    "campaign_exists": (409, "A campaign of this slug exists with other content"),
    "invalid_transition": (409, "The campaign's status does not allow this"),
    "insufficient_balance": (409, "The balance does not cover the amount"),
    "reference_conflict": (409, "This reference was used with another amount"),
    "already_answered": (409, "The person was asked before, and answered otherwise"),
    "late_code": (409, "It is too late for a code; support may still help"),
    "self_referral": (409, "A player's own code brings nobody"),
    "already_earned": (409, "The player's referral has earned something, or ended"),
    "outranked": (409, "Another invitation of this player counts"),
    "not_accepted": (409, "The campaign takes no codes that are typed"),
    "second_person_needed": (409, "Somebody other than who proposed it decides"),
    "already_decided": (409, "This was decided otherwise"),
    "review_closed": (409, "Events overtook the review; there is nothing left to decide"),
    "campaign_paused": (410, "The campaign is paused, and may go on later"),
    "campaign_ended": (410, "The campaign takes no invitations now"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body must be application/json"),
    "validation_failed": (422, "The request has fields that cannot be accepted"),
    "too_many_requests": (429, "This was asked too often; try again after Retry-After seconds"),
    "internal_error": (500, "The request failed"),
    "unavailable": (503, "The database cannot be reached; the same request may be repeated"),
}
PROBLEM_CODE_BY_STATUS: Final = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
"""Codes of the refusals that the framework raises; any other status is a `bad_request`."""
TEXT_LENGTH_MESSAGES: Final = {
    "too_long": "This has at most {max_length} characters",
    "too_short": "This cannot be blank",
}
"""Messages for texts, where pydantic would count items."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    message: str


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
        status, title = PROBLEM_TYPES[code]
        super().__init__(status, detail or f"{title}.", headers)
        self.code = code
        self.errors = tuple(errors)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every refusal and every transient database fault with a problem."""
    app.add_exception_handler(HTTPException, _render_http_exception)
    app.add_exception_handler(RequestValidationError, _render_validation_error)
    for fault in DATABASE_FAULTS:
        app.add_exception_handler(fault, _render_database_fault)


def invalid_field(field: str, message: str) -> Problem:
    return Problem("validation_failed", errors=[FieldError(field, message)])


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
    status, title = PROBLEM_TYPES[code]
    return {
        "type": f"urn:referrals:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or f"{title}.",
        "code": code,
    }


def log_if_transient(fault: Exception) -> None:
    """Log a database fault that passes by itself; raise any other again."""
    if not is_transient(fault):
        raise fault
    log.warning("database_unavailable", fault=type(fault).__name__)


async def _render_http_exception(_: Request, refusal: Exception) -> Response:
    if isinstance(refusal, Problem):
        return render_problem(refusal)
    if not isinstance(refusal, HTTPException):
        raise refusal
    code = PROBLEM_CODE_BY_STATUS.get(refusal.status_code, "bad_request")
    headers = dict(refusal.headers or {})
    return render_problem(Problem(code, headers=headers))


async def _render_validation_error(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, RequestValidationError):
        raise refusal
    errors = [
        FieldError(_field_path(error["loc"]), _field_message(error))
        for error in refusal.errors()[:MAX_FIELD_ERRORS]
    ]
    return render_problem(Problem("validation_failed", errors=errors))


async def _render_database_fault(_: Request, fault: Exception) -> Response:
    log_if_transient(fault)
    return render_problem(Problem("unavailable", headers={"Retry-After": str(RETRY_AFTER_S)}))


def _field_path(location: Sequence[int | str]) -> str:
    """Return `amount.minor` for `body.amount.minor`, but `body` for the body itself."""
    inside = location[1:] if len(location) > 1 else location
    return ".".join(str(part) for part in inside)[:MAX_FIELD_PATH_CHARS]


def _field_message(error: dict[str, Any]) -> str:
    # Pydantic's own sentence, but never the value, which may be personal.
    message: str = error["msg"]
    template = (
        TEXT_LENGTH_MESSAGES.get(error["type"]) if isinstance(error.get("input"), str) else None
    )
    return template.format(**error["ctx"]) if template else message.removeprefix("Value error, ")
