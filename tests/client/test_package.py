"""The client as a package of its own: typed, small, and dependent on httpx alone."""

import ast
import asyncio
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

import referrals_client
from tests import ROOT

CLIENT: Final = ROOT / "client"
BUILT_WITHIN_S: Final = 180
BUILT: Final = ("build", "*.egg-info")
"""Files that `pip install ./client` leaves beside the sources."""
LEFT_BY_PIP: Final = (
    "client/build/lib/referrals_client/client.py",
    "client/referrals_client.egg-info/PKG-INFO",
)
GIT: Final = shutil.which("git") or "git"
MAKE: Final = shutil.which("make")


def test_imports_only_itself_httpx_and_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"httpx", "referrals_client"}
    for file in (CLIENT / "referrals_client").glob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text())))
        plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
        given = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert {name.partition(".")[0] for name in plain | given} <= allowed, file.name


def test_its_version_is_the_packages() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert project["version"] == referrals_client.__version__


def test_an_installation_leaves_no_second_package_for_mypy_and_nothing_for_git() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    excluded = re.compile("|".join(mypy["exclude"]))
    assert excluded.search(LEFT_BY_PIP[0])
    assert not excluded.search("client/referrals_client/client.py")
    assert not excluded.search("api/console/builder/page.py")

    ignored = subprocess.run(
        [GIT, "check-ignore", *LEFT_BY_PIP], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert ignored.stdout.split() == list(LEFT_BY_PIP)


@pytest.mark.skipif(MAKE is None, reason="make is not installed")
def test_clean_removes_what_an_installation_leaves(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (*LEFT_BY_PIP, "client/referrals_client/client.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    subprocess.run([str(MAKE), "clean"], cwd=tmp_path, check=True, capture_output=True)

    left = [path.name for path in (tmp_path / "client").rglob("*") if path.is_file()]
    assert left == ["client.py"]


async def test_builds_a_typed_wheel_with_its_licence(tmp_path: Path) -> None:
    source = tmp_path / "client"
    shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns(*BUILT))
    building = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--disable-pip-version-check", "--no-index", "--wheel-dir", str(tmp_path), str(source)),
    )
    assert await asyncio.wait_for(building.wait(), BUILT_WITHIN_S) == 0

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        metadata_text = archive.read(metadata).decode()
    assert {"referrals_client/py.typed", "referrals_client/client.py"} <= names
    assert any(name.endswith("/LICENSE") for name in names)
    assert [line for line in metadata_text.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: httpx>=0.28"
    ]
    assert "License-Expression: Apache-2.0" in metadata_text
