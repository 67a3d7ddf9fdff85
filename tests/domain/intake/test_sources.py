"""Sources: the ids of one never meet those of another."""

from hypothesis import given
from hypothesis import strategies as st

from domain.intake.facts import ID_PATTERN, from_source
from domain.intake.sources import (
    DEFAULT_SOURCE,
    SOURCE_PATTERN,
    shown_event_id,
    source_of,
    stored_event_id,
)
from tests.builders import deposit

SOURCES = st.one_of(st.just(DEFAULT_SOURCE), st.from_regex(SOURCE_PATTERN, fullmatch=True))
EVENT_IDS = st.from_regex(ID_PATTERN, fullmatch=True)
STORED_CHARS = 80
"""Width of the narrowest column that holds a stored id."""


@given(source=SOURCES, event_id=EVENT_IDS)
def test_a_stored_id_tells_its_source_and_the_reporters_id(source: str, event_id: str) -> None:
    stored = stored_event_id(source, event_id)
    assert (source_of(stored), shown_event_id(stored)) == (source, event_id)
    assert len(stored) <= STORED_CHARS


@given(one=st.tuples(SOURCES, EVENT_IDS), other=st.tuples(SOURCES, EVENT_IDS))
def test_no_two_sources_meet(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (stored_event_id(*one) == stored_event_id(*other)) == (one == other)


@given(source=SOURCES)
def test_a_fact_of_any_source_can_be_stored(source: str) -> None:
    fact = from_source(deposit(event_id="e" * 64), source)
    assert shown_event_id(fact.event_id) == "e" * 64
