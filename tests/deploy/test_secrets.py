"""The script that writes .env for docker-compose.yml."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

REQUIRED: Final = sorted(
    set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
)


def add_secrets(directory: Path) -> dict[str, str]:
    subprocess.run(
        ["/bin/sh", ROOT / "deploy" / "secrets.sh"], cwd=directory, check=True, capture_output=True
    )
    lines = (directory / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_adds_every_secret_that_compose_requires_for_its_reader_alone(tmp_path: Path) -> None:
    added = add_secrets(tmp_path)
    assert sorted(added) == REQUIRED
    assert all(re.fullmatch(r"[0-9a-f]{48}", secret) for secret in added.values())
    assert len(set(added.values())) == len(REQUIRED)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert add_secrets(tmp_path) == add_secrets(tmp_path)


@pytest.mark.parametrize("written", ["A=1\nREFERRALS_PUBLIC_URL=https://refer.example", "A=1\n"])
def test_keeps_what_is_there_even_without_the_end_of_its_last_line(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / ".env").write_text(written)
    add_secrets(tmp_path)
    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines[: written.count("=")] == written.splitlines()
    assert len(lines) == written.count("=") + len(REQUIRED)


@pytest.mark.parametrize(
    "line",
    ["POSTGRES_PASSWORD=mine", "export POSTGRES_PASSWORD=mine", "  POSTGRES_PASSWORD = 'mine'"],
)
def test_leaves_a_secret_that_is_named_in_any_way(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(f"{line}\r\n# POSTGRES_APP_PASSWORD=a comment\n")
    add_secrets(tmp_path)
    text = (tmp_path / ".env").read_text()
    assert re.findall(r"^\s*(?:export )?POSTGRES_PASSWORD\b.*$", text, re.MULTILINE) == [line]
    assert re.search(r"^POSTGRES_APP_PASSWORD=", text, re.MULTILINE)
