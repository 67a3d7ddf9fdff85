"""Published events through the releases: what was written once is read for ever."""

import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from db import outbox
from domain.webhooks import event_types
from messaging.asyncapi import build_document
from messaging.event_examples import EXAMPLES, example_of
from messaging.events import Published
from messaging.player_messages import Notification
from tests.events import EVENT_BY_TYPE
from tests.messaging.schemas import example_values, validator_of

SAMPLES: Final = sorted((Path(__file__).parent / "samples").glob("*.jsonl"))
"""Records by the version of their fields, one of each type; those of a release never change."""
VALUES: Final[list[dict[str, Any]]] = [
    json.loads(line)["value"] for sample in SAMPLES for line in sample.read_text().splitlines()
]
SINCE_VERSION_2: Final = {
    "BudgetAlert",
    "CodeClicked",
    "RewardAdjusted",
    "ShareRecorded",
    "TaxThresholdAlert",
    "WebhookDisabled",
}


def test_there_are_samples_of_every_version() -> None:
    versions = {int(sample.stem) for sample in SAMPLES}
    assert versions == set(range(1, outbox.SCHEMA_VERSION + 1))
    for sample in SAMPLES:
        values = [json.loads(line)["value"] for line in sample.read_text().splitlines()]
        assert {value["schema_version"] for value in values} == {int(sample.stem)}


def test_there_is_a_sample_of_every_type_of_a_version() -> None:
    types = {int(sample.stem): set[str]() for sample in SAMPLES}
    for value in VALUES:
        types[value["schema_version"]].add(value["type"])
    assert types == {1: set(EVENT_BY_TYPE) - SINCE_VERSION_2, 2: set(EVENT_BY_TYPE)}


@pytest.mark.parametrize(
    "value", VALUES, ids=lambda value: f"{value['schema_version']}-{value['type']}"
)
def test_reads_a_record_of_every_version(value: dict[str, Any]) -> None:
    event = EVENT_BY_TYPE[value["type"]].model_validate(value)
    assert event.model_extra == {}, "a field that was published is declared no more"
    validator_of(build_document(example_values()), value["type"]).validate(value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_complete(name: str) -> None:
    model: type[Published] = Notification if name == "Notification" else EVENT_BY_TYPE[name]
    example = example_of(name)
    model.model_validate(example)
    assert set(example) == set(model.model_fields)


def test_every_event_has_an_example_and_can_be_subscribed() -> None:
    assert set(EXAMPLES) == {*EVENT_BY_TYPE, "Notification"}
    assert set(EVENT_BY_TYPE) == event_types.EVENTS


def test_a_record_of_a_later_release_is_read() -> None:
    later = example_of("RewardGranted") | {"schema_version": 9, "more": {"of": "it"}}
    EVENT_BY_TYPE["RewardGranted"].model_validate(later)
    validator_of(build_document(example_values()), "RewardGranted").validate(later)


def test_a_record_that_lacks_a_field_is_told_apart() -> None:
    lacking = {k: v for k, v in example_of("RewardGranted").items() if k != "referral_id"}
    with pytest.raises(jsonschema.ValidationError, match="referral_id"):
        validator_of(build_document(example_values()), "RewardGranted").validate(lacking)
