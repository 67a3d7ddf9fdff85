"""The quick way to read an event beside the strict one: whatever it reads, both read alike."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.reporters import NOBODY
from messaging import topics
from messaging.inbound.decoding import SCHEMAS, RefusedError, read_strictly
from messaging.inbound.plain_json import MAX_PLAIN_BYTES, read_plain
from referrals.intake.events import EventIn
from referrals.intake.facts import Report
from tests.api.bodies import deposit, signup
from tests.messaging.inbound.poison import poison
from tests.messaging.stream import HASHER

BODIES: Final[Mapping[str, dict[str, Any]]] = {
    topics.SIGNUPS: signup(email="Ann@example.com", full_name="Jos\u00e9 \u674e", consent=True),
    topics.DEPOSITS: deposit(ip="203.0.113.7", payment_instrument="card-1", method="card"),
    topics.CHARGEBACKS: deposit(kind="refund", dispute_id="dispute-1"),
    topics.STATUS_CHANGES: {
        "event_id": "e-1",
        "occurred_at": "2026-01-02T03:04:05.25+01:00",
        "player_id": "p-1",
        "status": "verified",
    },
}
FRAGMENTS: Final = (
    *("NaN", "-Infinity", "1e400", "-0", "01", "1.", "9" * 30, "9" * 4400, "null", "true", '""'),
    *("\\", "\\u0000", "\\ud800", "\\ud83d\\ude00", '\\"', "\0", "\x7f", "\t", "\xa0", "\ufeff"),
    *(":", ",", '"', "{", "}", "[", "]", " ", "\n", "[[[[", '"a":', '"a": "b",', "/**/", "'"),
    *('"event_id": "e",', '"minor": 7,', '"currency": "EUR",', '"method": "",', '"ip": null,'),
    *('"x": {"event_id": "e", "event_id": "f"},', '"x": [{"a": 1, "a": 1}],', '"x": [1e999],'),
    *(
        '"x": NaN,',
        '"x": -Infinity,',
        '"x": "\\ud800",',
        '"x": "\ud800",',
        '"x": "\t",',
        '"x": .5,',
    ),
    *(f'"x": {"9" * 4400},', f'"x": {"9" * 400},', '"x": -0,', '"x": 01,', '"x": +1,', '"x": 1.,'),
    *(f'"deep": {"[" * 150}{"]" * 150},', f'"deep": {"[" * 300}{"]" * 300},'),
)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def report(read: EventIn) -> Report:
    return read.to_report(HASHER, None, source="default", reporter=NOBODY)


def read_both(topic: str, value: bytes) -> tuple[EventIn | None, EventIn | None]:
    """Return what the quick way reads, and what the strict one does; None is no event."""
    schema = SCHEMAS[topic]
    try:
        strict: EventIn | None = read_strictly(schema, value)
    except RefusedError:
        strict = None
    return read_plain(schema, value), strict


def check_agreement(topic: str, value: bytes) -> None:
    plain, strict = read_both(topic, value)
    if plain is not None:
        assert strict is not None, value
        assert report(plain) == report(strict)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a body with fields replaced and added, whose text is then cut and spliced."""
    topic = draw(st.sampled_from(sorted(BODIES)))
    names = st.sampled_from([*BODIES[topic], "ip", "method", "schema_version"])
    changes = draw(st.dictionaries(names, JSON, max_size=2))
    text = json.dumps(BODIES[topic] | changes, ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.sampled_from([start, start, start + 1, start + 9]))
        text = text[:start] + draw(st.sampled_from(FRAGMENTS)) + text[end:]
    return topic, text.encode(errors="surrogatepass")


@given(spoilt())
@settings(max_examples=400)
def test_the_quick_way_reads_nothing_that_the_strict_one_does_not(
    spoilt_body: tuple[str, bytes],
) -> None:
    check_agreement(*spoilt_body)


@pytest.mark.parametrize("topic", sorted(BODIES))
def test_both_read_a_body_with_any_fragment_before_any_of_its_fields(topic: str) -> None:
    text = json.dumps(BODIES[topic])
    places = [place for place, mark in enumerate(text) if mark == '"' or text[place - 1] == "{"]
    for fragment in FRAGMENTS:
        for place in places:
            spliced = text[:place] + fragment + text[place:]
            check_agreement(topic, spliced.encode(errors="surrogatepass"))


@pytest.mark.parametrize("refused", poison(), ids=lambda refused: refused.reason)
def test_the_quick_way_reads_no_poison(refused: Any) -> None:  # noqa: ANN401
    if refused.value is not None and refused.reason != "key_mismatch":
        assert read_plain(SCHEMAS[topics.DEPOSITS], refused.value) is None


@pytest.mark.parametrize("more", [{}, {"scale": 2, "tags": ["a", {"b": None}]}])
@pytest.mark.parametrize("topic", sorted(BODIES))
def test_the_quick_way_reads_events_of_this_schema_and_of_later_ones(
    topic: str, more: dict[str, Any]
) -> None:
    plain, strict = read_both(topic, json.dumps(BODIES[topic] | more, ensure_ascii=False).encode())
    assert plain is not None
    assert strict is not None
    assert report(plain) == report(strict)


@given(st.text(st.characters(exclude_characters='\\"', exclude_categories=["Cs", "Cc"])))
@example("x" * MAX_PLAIN_BYTES)
def test_a_repeated_key_is_left_to_the_strict_way(repeated: str) -> None:
    text = json.dumps(BODIES[topics.DEPOSITS], ensure_ascii=False)
    for twice in (
        f'"{repeated}": 1, "{repeated}": 2',
        f'"x": {{"{repeated}": 1, "{repeated}": 1}}',
    ):
        value = f"{text[:-1]}, {twice}}}".encode()
        assert read_plain(SCHEMAS[topics.DEPOSITS], value) is None
