"""Every text of every record and signal, from the schemas of topics and workflows."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, Final

from pydantic import TypeAdapter
from temporalio import workflow

import workflows
from messaging.inbound.decoding import SCHEMAS
from tests.seeds.bodies import Field, texts_in
from workflows.referral.messages import SIGNAL_SHAPES

DEFINITION: Final = "__temporal_workflow_definition"
EXAMPLES: Final[Mapping[str, str]] = {"SignupSignal": "SignupIn"}
"""Examples of shapes that have another name than their event."""


def record_fields() -> Iterator[Field]:
    """Return the texts of each topic's schema; `route` is the topic."""
    for topic, model in SCHEMAS.items():
        yield from _fields(topic, model.__name__, model.model_json_schema())


def signal_fields() -> Iterator[Field]:
    """Return the texts of each shape that signals have."""
    for shape in SIGNAL_SHAPES:
        name = EXAMPLES.get(shape.__name__, f"{shape.__name__}In")
        yield from _fields(shape.__name__, name, TypeAdapter(shape).json_schema())


def workflow_types() -> Mapping[str, type[Any]]:
    """Return every workflow by its name."""
    found: dict[str, type[Any]] = {}
    for module in walk_packages(workflows.__path__, "workflows."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and DEFINITION in vars(value):
                found[definition_of(value).name or ""] = value
    return found


def definition_of(kind: type[Any]) -> workflow._Definition:
    return workflow._Definition.must_from_class(kind)  # noqa: SLF001


def _fields(route: str, name: str, schema: Mapping[str, Any]) -> Iterator[Field]:
    document = {"components": {"schemas": schema.get("$defs", {})}}
    for path, examples in texts_in(schema, document, (), ()):
        yield Field("", route, name, path, examples)
