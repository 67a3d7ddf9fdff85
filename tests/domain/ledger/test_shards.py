"""The division of a balance among shards."""

from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.program import app
from domain.ledger.shards import MAX_SHARDS, MIN_SPENDS_EACH, part_of, spread

MINORS = st.integers(min_value=0, max_value=10**15)
COUNTS = st.integers(min_value=1, max_value=MAX_SHARDS)


@given(whole=MINORS, shards=COUNTS, spent=st.integers(min_value=-1000, max_value=10**6))
def test_a_balance_is_divided_to_the_last_unit_or_not_at_all(
    whole: int, shards: int, spent: int
) -> None:
    each = part_of(whole, shards=shards, spent_minor=spent)
    if each:
        own, parts = spread(whole, each, shards=shards)
        assert own + sum(parts) == whole
        assert len(parts) == shards
        assert min(own, *parts) >= MIN_SPENDS_EACH * spent > 0


@given(whole=MINORS, shards=COUNTS)
def test_no_balance_is_divided_for_what_brings_money_or_into_one(whole: int, shards: int) -> None:
    assert part_of(whole, shards=shards, spent_minor=0) == 0
    assert part_of(whole, shards=shards, spent_minor=-5) == 0
    assert part_of(whole, shards=1, spent_minor=5) == 0


def test_a_balance_is_divided_once_each_part_pays_twice() -> None:
    assert part_of(4 * 2 * 1000, shards=3, spent_minor=1000) == 2000
    assert part_of(4 * 2 * 1000 - 1, shards=3, spent_minor=1000) == 0


def test_the_command_takes_as_many_shards_as_a_balance_may_have() -> None:
    ended = CliRunner().invoke(app, ["campaigns", "shards", "welcome", str(MAX_SHARDS + 1)])

    assert ended.exit_code == 2
    assert f" {MAX_SHARDS} " in ended.output
