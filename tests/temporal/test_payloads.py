"""Payloads that cannot be read: named without their content, which anyone may have sent."""

import traceback
from typing import Final

import pytest
from temporalio.api.common.v1 import Payload

from activities.care.reconciliation import ReconcileRequest
from workflows.payloads import SharedPayloadConverter, UnreadablePayloadError

SEED: Final = b"wanda.feldmann@mail.example"
UNREADABLE: Final = {
    "another type": Payload(metadata={"encoding": b"json/plain"}, data=b'{"days": "%s"}' % SEED),
    "other fields": Payload(metadata={"encoding": b"json/plain"}, data=b'{"%s": 1}' % SEED),
    "no JSON": Payload(metadata={"encoding": b"json/plain"}, data=SEED),
    "an unknown encoding": Payload(metadata={"encoding": SEED}, data=SEED),
    "an encoding that is no text": Payload(metadata={"encoding": b"\xff" + SEED}, data=SEED),
    "an unknown protobuf": Payload(
        metadata={"encoding": b"json/protobuf", "messageType": SEED}, data=SEED
    ),
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_fault_names_what_was_expected_and_nothing_of_what_came(payload: Payload) -> None:
    with pytest.raises(UnreadablePayloadError, match="as ReconcileRequest") as fault:
        SharedPayloadConverter().from_payloads([payload], [ReconcileRequest])

    assert fault.value.__cause__ is None
    told = "".join(traceback.format_exception(fault.value))
    assert "feldmann" not in told.lower()


def test_reads_what_it_has_written() -> None:
    converter, request = SharedPayloadConverter(), ReconcileRequest(days=3)

    assert converter.from_payloads(converter.to_payloads([request]), [ReconcileRequest]) == [
        request
    ]
