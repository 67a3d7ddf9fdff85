"""Records as facts: what is read, and what is refused with a reason that quotes nothing."""

import json
from codecs import BOM_UTF8
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from domain.intake.facts import Deposit
from domain.intake.sources import shown_event_id, source_of
from messaging import topics
from messaging.inbound.decoding import Decoder
from messaging.records import Place, Record, Refusal
from referrals.intake.events import DepositIn
from referrals.intake.facts import Report
from tests.api.bodies import deposit, signup
from tests.messaging.inbound.poison import Poison, poison
from tests.messaging.stream import HASHER

DECODER = Decoder(HASHER)


def record(
    value: bytes | None, *, key: bytes | None = None, topic: str = topics.DEPOSITS
) -> Record:
    return Record(Place(topic, 0, 0), key, value)


@pytest.mark.parametrize("refused", poison(), ids=lambda refused: refused.reason)
def test_refuses_what_no_fact_can_be_made_of(refused: Poison) -> None:
    key = refused.key.encode() if refused.key else None
    decoded = DECODER.decode(record(refused.value, key=key))
    assert isinstance(decoded, Refusal)
    assert str(decoded) == refused.reason


def test_reads_an_event_of_a_later_schema_that_has_more_fields() -> None:
    body = deposit(new_field={"nested": [1]}, amount={"minor": 5, "currency": "EUR", "scale": 2})
    decoded = DECODER.decode(record(json.dumps(body).encode(), key=body["player_id"].encode()))
    assert isinstance(decoded, Report)
    assert decoded.player_id == body["player_id"]
    assert decoded.reported_by == topics.DEPOSITS
    assert decoded.request_id == f"{topics.DEPOSITS}:0:0"
    assert isinstance(decoded.fact, Deposit)
    assert decoded.fact.amount.minor == 5


def test_reads_an_event_without_a_key() -> None:
    assert isinstance(DECODER.decode(record(json.dumps(deposit()).encode())), Report)


def test_ignores_a_byte_order_mark_as_http_does() -> None:
    assert isinstance(DECODER.decode(record(BOM_UTF8 + json.dumps(deposit()).encode())), Report)


def test_refuses_an_empty_key() -> None:
    decoded = DECODER.decode(record(json.dumps(deposit()).encode(), key=b""))
    assert str(decoded) == "key_mismatch"


def test_ignores_what_nests_too_deep_for_most_parsers_but_not_for_this_one() -> None:
    deep = "[" * 500 + "]" * 500
    text = json.dumps(deposit())[:-1] + f', "unknown": {deep}}}'
    assert isinstance(DECODER.decode(record(text.encode())), Report)


def test_hashes_personal_fields() -> None:
    body = signup(email="somebody@example.com", phone="+1 555 0100")
    decoded = DECODER.decode(record(json.dumps(body).encode(), topic=topics.SIGNUPS))
    assert "somebody" not in repr(decoded)
    assert "555" not in repr(decoded)


def test_decodes_a_batch_as_its_records_one_by_one() -> None:
    shared = {"ip": "203.0.113.7", "payment_instrument": "203.0.113.7"}
    bodies = [deposit(**shared), deposit(**shared), deposit(ip="203.0.113.8")]
    records = [record(json.dumps(body).encode()) for body in bodies]
    records.insert(1, record(b"{"))
    assert DECODER.decode_all(records) == [DECODER.decode(each) for each in records]


def test_names_a_lasting_fault_before_an_event_that_is_early() -> None:
    refused = next(each for each in poison() if each.reason.startswith("too_early"))
    assert refused.value is not None
    body = json.loads(refused.value) | {"player_id": 7}
    assert str(DECODER.decode(record(json.dumps(body).encode()))) == "invalid_field player_id"


def test_an_event_has_the_source_of_its_topic() -> None:
    body = deposit()
    decoder = Decoder(HASHER, sources={topics.DEPOSITS: "ledger"})
    decoded = decoder.decode(record(json.dumps(body).encode()))
    assert isinstance(decoded, Report)
    assert source_of(decoded.fact.event_id) == "ledger"
    assert shown_event_id(decoded.fact.event_id) == body["event_id"]


def test_a_source_of_a_topic_that_is_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no\.such\.topic"):
        Decoder(HASHER, sources={"no.such.topic": "ledger"})


class Faulty(DepositIn):
    """A schema with a fault of ours, whose text quotes the event."""

    def to_report(self, *_: object, **__: object) -> NoReturn:
        raise KeyError(self.player_id)


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_fault_of_ours_is_logged_with_its_place_and_quotes_nothing(*, is_batch: bool) -> None:
    decoder = Decoder(HASHER, schemas={topics.DEPOSITS: Faulty})
    body = deposit(player_id="stored-secret")
    faulty = record(json.dumps(body).encode())

    with capture_logs() as logged:
        refused = decoder.decode_all([faulty])[0] if is_batch else decoder.decode(faulty)

    assert str(refused) == "unreadable"
    (line,) = logged
    assert (line["event"], line["log_level"]) == ("record_unreadable", "error")
    assert (line["place"], line["error"]) == (f"{topics.DEPOSITS}:0:0", "KeyError")
    assert line["at"].startswith("test_decoding.py:")
    assert "stored-secret" not in str(line)
