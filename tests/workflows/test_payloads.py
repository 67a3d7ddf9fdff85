"""Payloads: the schemas of what is sent are built once a process, not once a run."""

from temporalio.contrib.pydantic import pydantic_data_converter

from domain.lifecycle.referral import Stage
from workflows.payloads import DATA_CONVERTER


def test_the_converters_of_all_runs_share_their_schemas() -> None:
    first, second = (DATA_CONVERTER.payload_converter_class() for _ in range(2))
    (payload,) = first.to_payloads([Stage.SIGNED_UP])
    assert first.from_payloads([payload], [Stage]) == [Stage.SIGNED_UP]

    assert _json_of(first) is _json_of(second)


def test_payloads_are_those_of_the_sdks_converter() -> None:
    values = [Stage.SIGNED_UP, None, b"bytes", {"amount": [1, "2"]}]
    theirs = pydantic_data_converter.payload_converter.to_payloads(values)

    assert DATA_CONVERTER.payload_converter.to_payloads(values) == theirs


def _json_of(converter: object) -> object:
    return vars(converter)["converters"][b"json/plain"]
