"""The command `referrals warehouse report`, over an embedded warehouse."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analytics.warehouse import EmbeddedWarehouse, Loader
from cli.program import app
from tests.analytics.test_image import row_of_a_click


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Load one click, of noon in UTC on March 1st."""
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse")
    with Loader(warehouse) as loader:
        loader.add([row_of_a_click()])
    warehouse.close()
    return tmp_path / "warehouse"


def report(folder: Path, *arguments: str) -> Any:  # noqa: ANN401 - lines of JSON
    command = ["warehouse", "report", "funnel", "--warehouse", str(folder), *arguments]
    return CliRunner().invoke(app, command)


@pytest.mark.parametrize(
    ("since", "is_within"),
    [
        ("2026-03-01T12:00:00", True),
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01T14:00:00+02:00", True),
        ("2026-03-01T12:00:00-02:00", False),
        ("2026-03-01T12:00:01", False),
    ],
)
def test_reads_times_with_their_offset(folder: Path, since: str, *, is_within: bool) -> None:
    after = report(folder, "--from", since)
    before = report(folder, "--to", since)

    assert (after.exit_code, before.exit_code) == (0, 0)
    assert [json.loads(line)["counts"]["clicks"] for line in after.stdout.splitlines()] == (
        [1] if is_within else []
    )
    assert bool(before.stdout) != is_within


def test_makes_no_warehouse_of_a_folder_that_has_none(tmp_path: Path) -> None:
    absent = tmp_path / "absent"

    for place in (absent, tmp_path):
        refused = report(place)
        assert refused.exit_code == 2
        assert refused.stderr == f"no warehouse in {place}: `load` or `backfill` makes one\n"
    assert list(tmp_path.iterdir()) == []
