"""The tree's sizes: a module is read in one sitting, and a folder is seen at a glance."""

from collections import Counter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
MAX_LINES: Final = 300
MAX_MODULES: Final = 20
UNBOUNDED: Final = "db/migrations/versions"
"""Migrations are only ever added."""


def modules() -> list[Path]:
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    hidden = (".", "build", UNBOUNDED)
    return [path for path in found if not path.as_posix().startswith(hidden)]


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_folder_has_more_modules_than_fit_a_glance() -> None:
    counted = Counter(str(path.parent) for path in modules() if path.name != "__init__.py")
    assert counted["referrals/attribution"] > 0
    assert {folder: n for folder, n in counted.items() if n > MAX_MODULES} == {}
