"""What /openapi.json says beyond the routes themselves."""

from typing import Any, Final

from fastapi import FastAPI

from api.http.examples import BODY_EXAMPLES
from api.http.problem_docs import Problem

DESCRIPTION: Final = """
Who brought whom to the sportsbook, and every cent paid for it.

Money is in whole minor units. Times are RFC 3339 with an offset. Every refusal is
`application/problem+json` (RFC 9457) with a stable `code`.
"""
DEFAULT_PROBLEMS: Final = ("bad_request", "malformed_json", "validation_failed", "unavailable")

PUBLISHED_NAMES: Final = {
    "CampaignTransition": "Step",
    "api__v1__reviews__Status": "api__reviews__Status",
    "referrals__attribution__rebind_requests__Status": "db__rebinds__Status",
}
"""Components whose class or module has another name than the one that clients were given."""


def install(app: FastAPI) -> None:
    """Add the shape of problems, once, to the document that FastAPI makes."""
    generate_schema = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = generate_schema()["components"].setdefault("schemas", {})
            shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(shape.pop("$defs", {}))
            schemas["Problem"] = shape
            for name, example in BODY_EXAMPLES.items():
                schemas[name]["examples"] = [example]
            app.openapi_schema = _with_published_names(app.openapi_schema or {})
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way


def _with_published_names(document: dict[str, Any]) -> dict[str, Any]:
    schemas, prefix = document["components"]["schemas"], "#/components/schemas/"
    for name, published in PUBLISHED_NAMES.items():
        schemas[published] = schemas.pop(name) | {"title": published.rpartition("__")[2]}

    def renamed(node: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(node, dict):
            return {key: renamed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [renamed(value) for value in node]
        name = node.removeprefix(prefix) if isinstance(node, str) else ""
        return prefix + PUBLISHED_NAMES[name] if name in PUBLISHED_NAMES else node

    document_renamed: dict[str, Any] = renamed(document)
    return document_renamed
