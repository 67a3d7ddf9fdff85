"""The scan of requirements tells a clean answer from none, and fails for a known vulnerability."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.audit import read

CLEAN = {"name": "idna", "version": "3.10", "vulns": []}
HOLED = {
    "name": "idna",
    "version": "3.6",
    "vulns": [{"id": "PYSEC-2024-60", "fix_versions": ["3.7"], "aliases": [], "description": ""}],
}
UNKNOWN = {"name": "idna", "skip_reason": "Dependency not found on PyPI: idna (3.10)"}


def report(*dependencies: Any) -> str:  # noqa: ANN401 - any part of a report
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_names_a_known_vulnerability_and_its_fix() -> None:
    scan = read(report(CLEAN, HOLED, UNKNOWN))
    assert scan.vulnerabilities == ("  idna 3.6: PYSEC-2024-60, fixed in 3.7",)
    assert str(scan).startswith("2 scanned, 1 without a record, 1 known\n")


@pytest.mark.parametrize("dependencies", [(), (UNKNOWN,), (UNKNOWN, UNKNOWN)])
def test_a_registry_that_knows_nothing_is_not_a_clean_bill(dependencies: Sequence[Any]) -> None:
    scan = read(report(*dependencies))
    assert str(scan).startswith("not scanned: ")


@pytest.mark.parametrize("text", ["", "No known vulnerabilities found", "[]"])
def test_what_is_no_report_is_no_answer(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        read(text)
