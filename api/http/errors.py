"""Refusals of the HTTP door: RFC 9457 problem+json with a stable code."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

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


class ProblemType(NamedTuple):
    """Status, title and default detail of one problem code."""

    status: int
    title: str
    detail: str
    """What the caller can do."""


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {
    "malformed_json": ProblemType(
        400, "Malformed JSON", "Send valid JSON in which no object repeats a key."
    ),
    "bad_request": ProblemType(400, "Bad request", "Check the request against /openapi.json."),
    "unauthorized": ProblemType(
        401, "Missing or invalid API key", "Send a valid API key as `Authorization: Bearer <key>`."
    ),
    "missing_scope": ProblemType(
        403, "Missing scope", "Use an API key that has one of the scopes of this route."
    ),
    "not_found": ProblemType(404, "Not found", "Check the path against /openapi.json."),
    "unknown_code": ProblemType(404, "Unknown referral code", "Check the spelling of the code."),
    "unknown_campaign": ProblemType(404, "Unknown campaign", "Check the campaign's slug."),
    "unknown_referral": ProblemType(404, "Unknown referral", "Check the referral's id."),
    "unknown_player": ProblemType(
        404, "Unknown player", "Check the player's id, or report the signup first."
    ),
    "unknown_attempt": ProblemType(
        404, "Unknown attribution attempt", "Find the attempt's id in GET /v1/attributions."
    ),
    "unknown_rebind": ProblemType(404, "Unknown rebind request", "Check the id of the request."),
    "unknown_review": ProblemType(
        404, "Unknown review", "Find the review's id in GET /v1/reviews."
    ),
    "method_not_allowed": ProblemType(
        405, "Method not allowed", "Use a method of the `Allow` header."
    ),
    "event_conflict": ProblemType(
        409, "Event id already used", "Report other content under an event id of its own."
    ),
    "code_taken": ProblemType(409, "Code taken by another player", "Choose another code."),
    "code_exists": ProblemType(
        409, "Player already has a code", "Use the code that the player has in this campaign."
    ),
    "campaign_not_open": ProblemType(
        409, "Campaign not open", "Ask for a code while the campaign is open."
    ),
    "campaign_exists": ProblemType(
        409, "Campaign already exists", "Choose another slug, or revise the campaign by PUT."
    ),
    "invalid_transition": ProblemType(
        409, "Invalid transition", "Check the campaign's status; it does not allow this."
    ),
    "insufficient_balance": ProblemType(
        409, "Insufficient balance", "Use an amount that the balance covers."
    ),
    "reference_conflict": ProblemType(
        409, "Reference already used", "Use a new reference for another amount."
    ),
    "already_answered": ProblemType(
        409, "Already answered", "Keep the person's first answer, which was a different one."
    ),
    "late_code": ProblemType(
        409, "Code entered too late", "Refer the player to support, who may rebind the referral."
    ),
    "self_referral": ProblemType(409, "Self-referral", "Use the code of another player."),
    "already_earned": ProblemType(
        409,
        "Reward already earned",
        "Keep the player's referral, which has earned a reward or has ended.",
    ),
    "outranked": ProblemType(
        409, "Outranked", "Keep the player's other invitation, which ranks higher."
    ),
    "not_accepted": ProblemType(
        409, "Typed codes not accepted", "Follow the link; this campaign accepts no typed codes."
    ),
    "second_person_needed": ProblemType(
        409, "Second person needed", "Have another person decide than the one who proposed it."
    ),
    "already_decided": ProblemType(
        409, "Already decided", "Keep the earlier decision, which was a different one."
    ),
    "review_closed": ProblemType(
        409, "Review closed", "Reload the referral; later events left nothing to decide."
    ),
    "campaign_paused": ProblemType(
        410, "Campaign paused", "Try again later; the campaign may be resumed."
    ),
    "campaign_ended": ProblemType(
        410, "Campaign ended", "Use the code of a campaign that takes invitations."
    ),
    "body_too_large": ProblemType(413, "Body too large", "Send a smaller body."),
    "unsupported_media_type": ProblemType(
        415, "Unsupported media type", "Send the body as `Content-Type: application/json`."
    ),
    "validation_failed": ProblemType(
        422, "Validation failed", "Correct the fields that `errors` names."
    ),
    "too_many_requests": ProblemType(
        429, "Too many requests", "Try again after the seconds in the `Retry-After` header."
    ),
    "internal_error": ProblemType(
        500,
        "Internal server error",
        "Repeat the request; if it fails again, report its `X-Request-Id`.",
    ),
    "unavailable": ProblemType(
        503,
        "Service unavailable",
        "Repeat the request after the seconds in the `Retry-After` header.",
    ),
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
    "too_long": "Must have at most {max_length} characters",
    "too_short": "Must not be blank",
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
        kind = PROBLEM_TYPES[code]
        super().__init__(kind.status, detail or kind.detail, headers)
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
