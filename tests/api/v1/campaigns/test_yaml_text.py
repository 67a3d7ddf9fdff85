"""Campaign files: what YAML reads otherwise than it was meant is refused, with its line."""

from pathlib import Path

import pytest
import yaml

from api.v1.campaigns.files import read_file
from api.v1.campaigns.yaml_text import read_yaml

ANCHORED = """
base: &base {currency: USD, minor: 1000}
first: *base
second: {<<: *base, minor: 500}
"""
LAUGHS = "a: &a0 [x, x]\n" + "".join(
    f"b{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)


def test_places_and_words_stay_texts() -> None:
    assert read_yaml("{by_jurisdiction: {NO: 1, 'ON': 2}, op: on, at: 1:30, day: 2026-03-01}") == {
        "by_jurisdiction": {"NO": 1, "ON": 2}, "op": "on", "at": "1:30", "day": "2026-03-01",
    }  # fmt: skip


@pytest.mark.parametrize("written", ["010", "0x10", "1_000", "1e3", "10.0", "+5", ".inf", "9" * 20])
def test_only_a_plain_whole_number_is_a_number(written: str) -> None:
    assert read_yaml(f"minor: {written}") == {"minor": written}


def test_json_and_scalars_read_as_in_json() -> None:
    assert read_yaml('{"a": [1, -2, 0, true, false, null, ~, "1"], "b": }') == {
        "a": [1, -2, 0, True, False, None, None, "1"], "b": None,
    }  # fmt: skip
    assert read_yaml("") is None


def test_anchors_are_written_out_and_what_is_merged_may_be_replaced() -> None:
    found = read_yaml(ANCHORED)
    assert found["first"] == {"currency": "USD", "minor": 1000}
    assert found["second"] == {"currency": "USD", "minor": 500}


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("budget: 1\nname: x\nbudget: 2", "'budget' stands twice"),
        ("terms: {a: {minor: 1, minor: 2}}", "'minor' stands twice"),
        ("{1: x}", "1 must be a text"),
        ("{true: x}", "true must be a text"),
        ("{~: x}", "~ must be a text"),
        ("? [a, b]\n: x", "must be a text"),
        ("a: !!binary aGk=", "binary is not known"),
        ("a: !!set {b}", "set is not known"),
        ("a: !!python/object/apply:os.system [x]", "is not known"),
        ("a: !!timestamp 2026-03-01", "timestamp is not known"),
        ("&a [*a]", "is deeper"),
        ("[" * 200 + "]" * 200, "is deeper"),
        ("[" * 3000, "is deeper"),
        ("a: " + "{a: " * 3000, "is deeper"),
        (LAUGHS, "values"),
        ("a: 1\n---\na: 2", "another document"),
        ("a: *nobody", "undefined alias"),
        ("\ta: 1", "cannot start any token"),
    ],
)
def test_what_json_could_not_say_is_refused(written: str, what: str) -> None:
    with pytest.raises(yaml.YAMLError, match=what):
        read_yaml(written)


def test_a_refusal_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "offer.yaml"
    file.write_text("slug: spring\nterms:\n  referrer_reward: 1\n  referrer_reward: 2\n")
    with pytest.raises(yaml.YAMLError, match="line 4"):
        read_file(file)
