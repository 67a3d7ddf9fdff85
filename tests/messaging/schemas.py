"""Schemas of the AsyncAPI document as validators."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from api.http.examples import BODY_EXAMPLES


def example_values() -> Mapping[str, Any]:
    return BODY_EXAMPLES


def validator_of(document: Mapping[str, Any], name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())
