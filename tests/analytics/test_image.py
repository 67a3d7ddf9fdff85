"""The warehouse with the packages of the image alone, which has no embedded engine."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from analytics.warehouse import EmbeddedWarehouse, Loader
from tests import ROOT
from tests.analytics.clickhouse_server import chdb_behind_http

AS_THE_IMAGE: Final = """
import re, sys
from importlib.metadata import packages_distributions
from pathlib import Path

def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()

lock = Path("requirements-production.lock").read_text()
had = {plain(name) for name in re.findall(r"^([\\w.-]+)==", lock, re.MULTILINE)} | {"referrals"}
for module, packages in packages_distributions().items():
    if not had & {plain(package) for package in packages}:
        sys.modules[module] = None
"""
"""Beginning of a program; a module that is None cannot be found."""
COMMAND: Final = "from cli import main; main()"
REPORTS: Final = "from cli.warehouse import reports_of; print(reports_of(sys.argv[1]))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = EmbeddedWarehouse(tmp_path_factory.mktemp("engine"))
    with Loader(engine) as loader:
        loader.add([row_of_a_click()])
    with chdb_behind_http(engine) as address:
        yield address
    engine.close()


def row_of_a_click() -> dict[str, object]:
    return {
        "event_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "type": "CodeClicked",
        "at": "2026-03-01 12:00:00.000000",
        "campaign": "spring",
        "version": 1,
        "referral_id": "9b2e6679-7425-40de-944b-e07fc1f90ae7",
        "referrer_id": "ann",
        "cost": [],
        "variant": "",
    }


def run(*arguments: str, program: str = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_THE_IMAGE + program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_reads_a_warehouse_that_is_a_server(server: str) -> None:
    ended = run("warehouse", "report", "funnel", "--warehouse", server)

    assert (ended.returncode, ended.stderr) == (0, "")
    (day,) = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (day["group"], day["counts"]["clicks"]) == ("2026-03-01", 1)


def test_the_api_has_the_reports_of_a_server(server: str) -> None:
    ended = run(server, program=REPORTS)

    assert ended.returncode == 0, ended.stderr
    assert "WarehouseReports" in ended.stdout


def test_says_which_extra_a_warehouse_in_a_folder_needs(tmp_path: Path) -> None:
    ended = run("warehouse", "report", "funnel", "--warehouse", str(tmp_path))

    assert ended.returncode == 2
    assert ended.stderr == "a warehouse in a folder needs the extra `analytics` of this package\n"
