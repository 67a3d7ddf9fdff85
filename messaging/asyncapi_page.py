"""The AsyncAPI document as a page for people, in Markdown."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

HEADING: Final = """\
# Topics and their messages

This page is made from the code by `.venv/bin/python -m api.v1.asyncapi > docs/events.md`; a running
service serves the same as AsyncAPI 3.0 at `/asyncapi.json`.
"""
_SENT: Final = "## Published here"
_RECEIVED: Final = "## Read here"


def render(document: Mapping[str, Any]) -> str:
    """Return the page of a document."""
    lines = [HEADING, document["info"]["description"]]
    for heading, action in ((_SENT, "send"), (_RECEIVED, "receive")):
        lines += ["", heading]
        for operation in document["operations"].values():
            if operation["action"] == action:
                lines += _channel(document, _name(operation["channel"]))
    return "\n".join(lines) + "\n"


def _channel(document: Mapping[str, Any], topic: str) -> Iterator[str]:
    channel = document["channels"][topic]
    yield f"\n### `{topic}`\n"
    if "description" in channel:
        yield channel["description"]
    for name in channel["messages"]:
        yield from _message(document, document["components"]["messages"][name])


def _message(document: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[str]:
    if "examples" not in message:
        yield f"{message['summary']} Headers: {_headers(message['headers'])}."
        return
    schemas = document["components"]["schemas"]
    yield f"\n#### {message['name']}\n"
    yield f"{message['summary']}\n"
    yield f"Key: {message['bindings']['kafka']['key']['description']}."
    yield f"Headers: {_headers(message['headers'])}.\n"
    yield "| field | type | |\n|---|---|---|"
    schema = schemas[message["name"]]
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_type(field)} | {_note(name, field, schema)} |"
    value = json.dumps(message["examples"][0]["payload"], ensure_ascii=False, indent=2)
    yield f"\n```json\n{value}\n```"


def _headers(headers: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in headers["properties"])


def _note(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    notes = [field.get("description", "")]
    if name not in schema.get("required", ()):
        notes.append("may be missing")
    words = [example for example in field.get("examples", ()) if isinstance(example, str)]
    if len(words) > 1:
        notes.append(", ".join(f"`{word}`" for word in words))
    return "; ".join(filter(None, notes)).replace("|", "\\|")


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _name(field)
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if "const" in field:
        return f"`{field['const']}`"
    return str(field.get("format") or field.get("type", "any"))


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"].rpartition("/")[2])
