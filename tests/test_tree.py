"""The tree's sizes: a module is read in one sitting, and a folder is seen at a glance."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
GIT: Final = shutil.which("git") or "git"
PATH_OF_A_MACHINE: Final = re.compile(rb"/(?:home|Users|root|tmp|work)/[\w.-]+/")
"""Path of somebody's own folder, which recordings and pasted output carry along."""
MAX_LINES: Final = 300
MAX_MODULES: Final = 20
UNBOUNDED: Final = "db/migrations/versions"
"""Migrations are only ever added."""


def modules() -> list[Path]:
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    hidden = (".", "build", "client/build", UNBOUNDED)
    return [path for path in found if not path.as_posix().startswith(hidden)]


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_folder_has_more_modules_than_fit_a_glance() -> None:
    counted = Counter(str(path.parent) for path in modules() if path.name != "__init__.py")
    assert counted["referrals/attribution"] > 0
    assert {folder: n for folder, n in counted.items() if n > MAX_MODULES} == {}


def test_no_file_has_a_path_of_somebody_s_machine() -> None:
    listed = subprocess.run(
        [GIT, "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    named = [str(file.relative_to(ROOT)) for file in files if _names_a_machine(file)]
    assert named == []


def _names_a_machine(file: Path) -> bool:
    if not file.is_file():
        return False  # Deleted, and not committed yet.
    content = file.read_bytes()
    # Where the checkout is near the root, as in a container, its path is a usual one.
    is_own = len(ROOT.parts) > 3 and f"{ROOT}/".encode() in content
    return is_own or PATH_OF_A_MACHINE.search(content) is not None
