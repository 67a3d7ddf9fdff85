"""Releases: every place that names the version of this one names the same."""

import re
import tomllib
from pathlib import Path
from typing import Final

import yaml

from runtime.version import VERSION

ROOT: Final = Path(__file__).parents[2]
RELEASE: Final = re.compile(r"^## \[(?P<version>\d+\.\d+\.\d+)\] - (?P<day>.+)$", re.MULTILINE)
TO_COME: Final = "Unreleased"
COMING: Final = VERSION.partition(".dev")[0]


def changelog() -> list[tuple[str, str]]:
    """Return versions and days of the changelog, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text()
    return [(found["version"], found["day"]) for found in RELEASE.finditer(text)]


def test_package_command_and_chart_are_of_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((ROOT / "deploy/helm/referrals/Chart.yaml").read_text())
    assert project["version"] == VERSION
    assert (chart["version"], chart["appVersion"]) == (COMING, COMING)


def test_the_changelog_begins_with_this_release_and_dates_those_before() -> None:
    (newest, day), *earlier = changelog()
    assert newest == COMING
    assert (day == TO_COME) == (".dev" in VERSION)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for _, day in earlier)


def test_the_release_before_gets_security_fixes() -> None:
    supported = (ROOT / "SECURITY.md").read_text()
    released = next(version for version, day in changelog() if day != TO_COME)
    assert f"| {released.rpartition('.')[0]} | yes |" in supported
