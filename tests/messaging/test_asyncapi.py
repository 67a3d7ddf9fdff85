"""The AsyncAPI document: every topic, references that lead somewhere, examples that are valid."""

from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from api.app import build_app
from api.v1.asyncapi import document
from db.engine import Database
from messaging.asyncapi_page import render
from messaging.topics import INBOUND, OUTBOUND, dead_letters_of
from runtime.settings import Settings
from tests import ROOT
from tests.messaging.schemas import validator_of

DOCUMENT: Final = document()
MESSAGES: Final[dict[str, dict[str, Any]]] = DOCUMENT["components"]["messages"]


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else ())
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from references(value)


def test_has_every_topic_in_and_out() -> None:
    dead = {dead_letters_of(topic) for topic in INBOUND}
    assert set(DOCUMENT["channels"]) == {*INBOUND, *OUTBOUND, *dead}
    actions = {name.partition(".")[2]: o["action"] for name, o in DOCUMENT["operations"].items()}
    assert {topic for topic, action in actions.items() if action == "receive"} == set(INBOUND)
    assert {topic for topic, action in actions.items() if action == "send"} == {*OUTBOUND, *dead}


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        path = reference.removeprefix("#/").split("/")
        assert reduce(lambda node, part: node[part], path, DOCUMENT), reference


WITHOUT_EXAMPLE: Final = {"DeadLetter"}
"""A dead letter is a record as it came."""


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_examples_and_they_are_valid(name: str) -> None:
    examples = MESSAGES[name].get("examples", ())
    assert bool(examples) is (name not in WITHOUT_EXAMPLE)
    for example in examples:
        validator_of(DOCUMENT, name).validate(example["payload"])


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    assert page == render(DOCUMENT), "run .venv/bin/python -m api.v1.asyncapi > docs/events.md"


async def test_is_served_without_a_key(settings: Settings, database: Database) -> None:
    app: FastAPI = build_app(settings, database)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api") as client:
        response = await client.get("/asyncapi.json")
    assert response.status_code == 200
    assert response.json()["asyncapi"] == "3.0.0"
