"""Derived ids: no two lists of parts meet, and none meets an id of a caller."""

from typing import Final
from uuid import NAMESPACE_OID, uuid5

from hypothesis import example, given
from hypothesis import strategies as st

from domain.derived_ids import derived_id
from domain.intake.facts import ID_PATTERN

parts: Final = st.lists(st.text("ab:/1 ", max_size=6), min_size=1, max_size=4)


@given(one=parts, other=parts)
@example(one=["spend", "a", "b:c"], other=["spend", "a:b", "c"])
@example(one=["a", ""], other=["", "a"])
@example(one=["1/a"], other=["a"])
def test_other_parts_have_another_id(one: list[str], other: list[str]) -> None:
    is_same = derived_id(NAMESPACE_OID, *one) == derived_id(NAMESPACE_OID, *other)
    assert is_same == (one == other)


@given(parts=parts, event_id=st.from_regex(ID_PATTERN, fullmatch=True))
def test_never_meets_an_id_that_is_derived_from_a_callers_alone(
    parts: list[str], event_id: str
) -> None:
    assert derived_id(NAMESPACE_OID, *parts) != uuid5(NAMESPACE_OID, event_id)
