"""Revisions of the schema that this release knows."""

from pathlib import Path
from typing import Final

_VERSIONS: Final = Path(__file__).parent / "versions"
KNOWN: Final = tuple(sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py")))
