"""`/docs`: the API reference as one page, which loads nothing from another host."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.http.field_examples import PREFIX, example_of
from api.http.openapi_fields import METHODS

router = APIRouter(include_in_schema=False)
PAGES: Final = Environment(
    loader=PackageLoader("api.reference"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STYLE: Final = PAGES.get_template("reference.css").render()
STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.get("/docs")
@router.head("/docs", include_in_schema=False)
async def show_reference(request: Request) -> HTMLResponse:
    """Show every route with its parameters, bodies, scopes and refusals."""
    return HTMLResponse(_page(request.app), headers=HEADERS)


@cache
def _page(app: Any) -> str:  # noqa: ANN401 - FastAPI, of which there is one in a process
    return render_reference(app.openapi())


def render_reference(document: Mapping[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    routes = [
        _route(path, method, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]
    tags = list(dict.fromkeys(route["tag"] for route in routes))
    return PAGES.get_template("reference.html").render(
        title=document["info"]["title"],
        intro=document["info"].get("description", ""),
        groups=[(tag, [route for route in routes if route["tag"] == tag]) for tag in tags],
        schemas=[
            {
                "name": name,
                "text": schema.get("description", ""),
                "fields": _fields(schema, schemas),
            }
            for name, schema in sorted(schemas.items())
        ],
        style=Markup(STYLE),  # noqa: S704 - our own file
    )


def _route(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    body = _json_schema(operation.get("requestBody", {}))
    return {
        "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "tag": operation.get("tags", ["other"])[0],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "text": operation.get("description", ""),
        "scopes": [scope for each in operation.get("security", ()) for scope in each["HTTPBearer"]],
        "parameters": [_parameter(parameter) for parameter in operation.get("parameters", ())],
        "body": _type(body) if body else "",
        "example": json.dumps(example_of("", body, schemas), indent=2) if body else "",
        "answers": [
            {
                "status": status,
                "text": answer.get("description", ""),
                "type": _type(_json_schema(answer)),
                "codes": _codes(answer),
            }
            for status, answer in operation["responses"].items()
        ],
    }


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "type": _type(parameter.get("schema", {})),
        "required": parameter.get("required", False),
        "text": parameter.get("description", ""),
    }


def _json_schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = (
        content.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema


def _codes(answer: Mapping[str, Any]) -> list[str]:
    problems = answer.get("content", {}).get("application/problem+json", {})
    return list(problems.get("examples", {}))


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "text": field.get("description", ""),
            "example": json.dumps(example_of(name, field, schemas)),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(schema: Mapping[str, Any]) -> str:
    """Return a type in words, such as `ReferralOut`, `list of Money` or `string or null`."""
    if reference := schema.get("$ref"):
        return str(reference).removeprefix(PREFIX)
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[combined]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "")
