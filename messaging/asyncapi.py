"""The AsyncAPI 3.0 document of every topic, in and out, made from the schemas of the code."""

from collections.abc import Mapping, Sequence
from inspect import getdoc
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from messaging import topics
from messaging.event_examples import example_of
from messaging.events import EVENTS
from messaging.inbound.decoding import SCHEMAS
from messaging.player_messages import Notification

JSON: Final = "application/json"
PUBLISHED: Final[Mapping[str, Sequence[type[BaseModel]]]] = {
    topics.EVENTS: EVENTS,
    topics.NOTIFICATIONS: (Notification,),
}
DESCRIPTION: Final = """\
Values are JSON, keys are text. Delivery is at least once, in order per key: drop what you have
seen, by `event_id`. Fields are only ever added: ignore those that you do not know, and messages of
a type that you do not know. What is read here and cannot be decoded or validated goes to the
topic's dead-letter topic, and the next message is read."""
KEYS_IN: Final = "`player_id` of the value; a message without a key is read, too"
KEYS_OUT: Final[Mapping[str, str]] = {
    topics.EVENTS: "`referral_id`; the code of a share, `campaign:{slug}`, `player:{player_id}` or"
    " `webhook:{id}`",
    topics.NOTIFICATIONS: "`player_id`",
}
_TEXT: Final = {"type": "string"}
_HEADERS_OUT: Final = {
    "type": "object",
    "required": ["id", "type", "schema_version"],
    "properties": {
        "id": {**_TEXT, "format": "uuid", "description": "The same in every copy"},
        "type": {**_TEXT, "description": "Name of the message"},
        "schema_version": {**_TEXT, "description": "A whole number"},
    },
}
_HEADERS_IN: Final = {
    "type": "object",
    "properties": {
        "event_id": {**_TEXT, "description": "As in the value"},
        "schema_version": {**_TEXT, "description": "A whole number, 1 by default", "default": "1"},
    },
}
_HEADERS_DEAD: Final = {
    "type": "object",
    "description": "The headers of the original, and",
    "required": ["reason", "topic", "partition", "offset"],
    "properties": {
        "reason": {**_TEXT, "description": "A code, then the field, never content"},
        "topic": {**_TEXT, "description": "Where the original is"},
        "partition": _TEXT,
        "offset": _TEXT,
    },
}


def build_document(examples_in: Mapping[str, Any]) -> dict[str, Any]:
    """Build the document; `examples_in` has an example value for each schema of a topic in."""
    messages = {
        **{m.__name__: _message_out(m, topic) for topic in PUBLISHED for m in PUBLISHED[topic]},
        **{m.__name__: _message_in(m, examples_in[m.__name__]) for m in SCHEMAS.values()},
        "DeadLetter": _dead_letter(),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Referrals", "version": "1", "description": DESCRIPTION},
        "defaultContentType": JSON,
        "channels": _channels(),
        "operations": {
            **{f"send.{topic}": _operation("send", topic) for topic in _sent()},
            **{f"receive.{topic}": _operation("receive", topic) for topic in SCHEMAS},
        },
        "components": {"messages": messages, "schemas": _schemas()},
    }


def _sent() -> Sequence[str]:
    return (*PUBLISHED, *map(topics.dead_letters_of, SCHEMAS))


def _channels() -> dict[str, Any]:
    dead = {topics.dead_letters_of(topic): topic for topic in SCHEMAS}
    return {
        **{
            topic: _channel(topic, [model.__name__ for model in PUBLISHED[topic]])
            for topic in PUBLISHED
        },
        **{topic: _channel(topic, [SCHEMAS[topic].__name__]) for topic in SCHEMAS},
        **{
            letters: _channel(letters, ["DeadLetter"], f"What could not be read of `{topic}`.")
            for letters, topic in dead.items()
        },
    }


def _channel(topic: str, messages: Sequence[str], description: str | None = None) -> dict[str, Any]:
    channel = {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    return channel | ({"description": description} if description else {})


def _operation(action: str, topic: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}


def _message_out(model: type[BaseModel], topic: str) -> dict[str, Any]:
    payload = example_of(model.__name__)
    headers = {
        "id": payload.get("event_id") or payload["notification_id"],
        "type": model.__name__,
        "schema_version": str(payload.get("schema_version", 2)),
    }
    example = {"name": model.__name__, "headers": headers, "payload": payload}
    return _message(model, _HEADERS_OUT, KEYS_OUT[topic], example)


def _message_in(model: type[BaseModel], value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return _message(model, _HEADERS_IN, KEYS_IN, {"name": model.__name__, "payload": value})


def _message(
    model: type[BaseModel], headers: Mapping[str, Any], key: str, example: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": model.__name__,
        "summary": (getdoc(model) or "").partition("\n")[0],
        "contentType": JSON,
        "headers": headers,
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {"kafka": {"key": {**_TEXT, "description": key}}},
        "examples": [example],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "DeadLetter",
        "summary": "Key and value of the original, byte for byte.",
        "contentType": "application/octet-stream",
        "headers": _HEADERS_DEAD,
        "payload": {"description": "The original value"},
    }


def _schemas() -> dict[str, Any]:
    models = [*(m for group in PUBLISHED.values() for m in group), *SCHEMAS.values()]
    _, document = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, dict[str, Any]] = document["$defs"]
    for schema in schemas.values():
        # Over HTTP a field that is not known is refused; on a topic it is ignored.
        schema.pop("additionalProperties", None)
    return schemas
