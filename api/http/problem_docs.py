"""How routes tell OpenAPI of the problems that they may answer with."""

from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel

from api.http.errors import PROBLEM_CONTENT_TYPE, PROBLEM_TYPES

BODY_PROBLEMS: Final = ("body_too_large", "unsupported_media_type")
"""What any route that reads a body may refuse it for."""

Responses = dict[int | str, dict[str, Any]]


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457; `code` is stable, the texts are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []


def problem_responses(*codes: str) -> Responses:
    """What OpenAPI says of the problems that a route may answer with."""
    told: Responses = {}
    for code in codes:
        status, title = PROBLEM_TYPES[code]
        examples = (
            told.get(status, {})
            .get("content", {})
            .get(PROBLEM_CONTENT_TYPE, {})
            .get("examples", {})
        )
        examples[code] = {"summary": title, "value": _example(code)}
        told[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {
                PROBLEM_CONTENT_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": examples,
                }
            },
        }
    return told


def page_response(description: str) -> dict[str, Any]:
    """What OpenAPI says of an answer that people read."""
    content = {"text/html": {"schema": {"type": "string"}}}
    return {"description": description, "content": content}


def _example(code: str) -> dict[str, Any]:
    status, title = PROBLEM_TYPES[code]
    return {
        "type": f"urn:referrals:problem:{code}",
        "title": title,
        "status": status,
        "detail": f"{title}.",
        "code": code,
    }
