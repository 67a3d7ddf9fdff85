"""The OpenAPI document: the problems that routes declare, examples, and published names."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.routing import BaseRoute

from api.http.errors import PROBLEM_CONTENT_TYPE, problem_body
from api.http.examples import BODY_EXAMPLES
from api.http.openapi_fields import (
    add_scopes,
    describe_fields,
    describe_parameters,
    published_page_names,
)
from api.http.openapi_links import add_links
from api.http.problem_types import PROBLEM_TYPES

DESCRIPTION: Final = """
Referrals of a sportsbook: codes and links, attribution, rewards and their ledger.

Amounts are whole minor units of an ISO 4217 currency. Times are RFC 3339 with an offset. Every
refusal is `application/problem+json` (RFC 9457) with a stable `code`; any route may answer 414
`url_too_long`, 431 `headers_too_large` or 503 `overloaded`.
"""
DEFAULT_PROBLEMS: Final = ("bad_request", "malformed_json", "validation_failed", "unavailable")
"""Problems of every route."""
BODY_PROBLEMS: Final = ("body_too_large", "unsupported_media_type")
"""Problems of every route that reads a body."""

PUBLISHED_NAMES: Final = {
    "AttemptKind": "Attempt",
    "CampaignTransition": "Step",
    "api__v1__reviews__Status": "ReviewStatus",
    "referrals__attribution__rebinds__Status": "RebindStatus",
    "api__v1__schemas__referrals__RuleOut": "AssessedRule",
    "api__v1__schemas__rule_sets__RuleOut": "RuleOfSet",
}
"""Published names of components by the names that FastAPI would derive for them now."""

Responses = dict[int | str, dict[str, Any]]


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """Problem details of RFC 9457; `code` is stable, the texts are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Add problems, examples and published names to the document that FastAPI generates.

    `routes` are those of the included routers, whose dependencies name the scopes.
    """
    generate_schema = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = generate_schema()["components"].setdefault("schemas", {})
            shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(shape.pop("$defs", {}))
            schemas["Problem"] = shape
            for name, example in BODY_EXAMPLES.items():
                schemas[name]["examples"] = [example]
            described = _with_published_names(app.openapi_schema or {})
            describe_fields(described["components"]["schemas"])
            describe_parameters(described)
            add_scopes(described, routes)
            add_links(described)
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way


def problem_responses(*codes: str) -> Responses:
    """Return the OpenAPI responses for the problems of a route, one example for each code."""
    responses: Responses = {}
    for code in codes:
        status, title, _ = PROBLEM_TYPES[code]
        examples = (
            responses.get(status, {})
            .get("content", {})
            .get(PROBLEM_CONTENT_TYPE, {})
            .get("examples", {})
        )
        examples[code] = {"summary": title, "value": problem_body(code)}
        responses[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {
                PROBLEM_CONTENT_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": examples,
                }
            },
        }
    return responses


def page_response(description: str) -> dict[str, Any]:
    """Return the OpenAPI response for a page of HTML."""
    content = {"text/html": {"schema": {"type": "string"}}}
    return {"description": description, "content": content}


def _with_published_names(document: dict[str, Any]) -> dict[str, Any]:
    schemas, prefix = document["components"]["schemas"], "#/components/schemas/"
    names = {**PUBLISHED_NAMES, **published_page_names(schemas)}
    for name, published in names.items():
        schemas[published] = schemas.pop(name) | {"title": published}

    def renamed(node: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(node, dict):
            return {key: renamed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [renamed(value) for value in node]
        name = node.removeprefix(prefix) if isinstance(node, str) else ""
        return prefix + names[name] if name in names else node

    document_renamed: dict[str, Any] = renamed(document)
    return document_renamed
