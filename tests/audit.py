"""Scan of pinned requirements for known vulnerabilities: python -m tests.audit [FILE ...].

It asks the package registry alone, through pip-audit in an environment of its own. Exits with 1 for
a known vulnerability; where the registry cannot be asked it says so, and exits with 0.
"""

# ruff: noqa: T201 - a command for people

import json
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests import ROOT

PIP_AUDIT: Final = "pip-audit==2.10.1"
LOCK: Final = "requirements.lock"
"""All of it: production installs a part."""
TIME_LIMIT_S: Final = 180
"""Bounds the installation and each scan: a registry that hangs must not hold a run up."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Answer of the registry about one file of requirements."""

    scanned: int
    unknown: int
    """Requirements of which the registry has no record."""
    vulnerabilities: tuple[str, ...]

    def __str__(self) -> str:
        if not self.scanned:
            return "not scanned: the package registry here has no records of vulnerabilities"
        unknown = f", {self.unknown} without a record" if self.unknown else ""
        found = len(self.vulnerabilities)
        return "\n".join([f"{self.scanned} scanned{unknown}, {found} known", *self.vulnerabilities])


def main(files: Sequence[str]) -> int:
    """Scan files, print what is known, and return 1 for a vulnerability."""
    try:
        program = _install(ROOT / ".artefacts" / "audit")
        scans = {file: read(_scan(program, ROOT / file)) for file in files or [LOCK]}
    except (subprocess.SubprocessError, OSError, ValueError, TypeError) as fault:
        print(f"not scanned: {PIP_AUDIT} could not run ({type(fault).__name__})")
        return 0
    for file, scan in scans.items():
        print(f"{file}: {scan}")
    return 1 if any(scan.vulnerabilities for scan in scans.values()) else 0


def read(report: str) -> Scan:
    """Read pip-audit's report; ValueError or TypeError for what is none."""
    dependencies: list[Mapping[str, Any]] = json.loads(report)["dependencies"]
    scanned = [one for one in dependencies if "skip_reason" not in one]
    found = tuple(
        f"  {one['name']} {one['version']}: {known['id']}, fixed in"
        f" {', '.join(known['fix_versions']) or 'no version'}"
        for one in scanned
        for known in one["vulns"]
    )
    return Scan(len(scanned), len(dependencies) - len(scanned), found)


def _install(directory: Path) -> Path:
    venv.create(directory, with_pip=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", PIP_AUDIT]
    subprocess.run(pip, check=True, capture_output=True, timeout=TIME_LIMIT_S)
    return directory / "bin" / "pip-audit"


def _scan(program: Path, file: Path) -> str:
    # It exits with 1 for a vulnerability, and for a fault without a report.
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
    done = subprocess.run(
        [str(program), *options, "--requirement", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
