"""Tests of the path of what nests too deep."""

import time

import pytest

from api.http.json_depth import path_at_depth


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": {"b": 1}}', None),
        ('{"a": {"b": [1]}}', "a.b"),
        ('{"a": [1, "x,[{", {"b": 2}]}', "a[2]"),
        ('{"z": [[], {}], "a": {"b": {}}}', "z[0]"),
        ("[[], [0, [1]]]", "[1][1]"),
        ('{"a\\\\": {"\\"{": {}}}', 'a\\\\.\\"{'),
        ("]]}}{", None),
        ('{"a": "', None),
    ],
)
def test_names_the_first_place_inside_two_others(text: str, path: str | None) -> None:
    assert path_at_depth(text, 2) == path


@pytest.mark.parametrize("text", ['"' + '\\"' * 500_000, '"' * 999_999 + "\\", "[" * 1_000_000])
def test_reads_hostile_text_in_linear_time(text: str) -> None:
    started = time.process_time()
    path_at_depth(text, 24)
    assert time.process_time() - started < 2
