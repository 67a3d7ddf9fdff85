"""What /openapi.json says beyond the routes themselves."""

from typing import Any, Final

from fastapi import FastAPI

from api.http.examples import BODIES
from api.v1.schemas.problems import Problem

DESCRIPTION: Final = """
Who brought whom to the sportsbook, and every cent paid for it.

Money is in whole minor units. Times are RFC 3339 with an offset. Every refusal is
`application/problem+json` (RFC 9457) with a stable `code`.
"""
ON_EVERY_ROUTE: Final = ("bad_request", "malformed_json", "validation_failed", "unavailable")


def install(app: FastAPI) -> None:
    """Add the shape of problems, once, to the document that FastAPI makes."""
    made_by_fastapi = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = made_by_fastapi()["components"].setdefault("schemas", {})
            shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(shape.pop("$defs", {}))
            schemas["Problem"] = shape
            for name, example in BODIES.items():
                schemas[name]["examples"] = [example]
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way
