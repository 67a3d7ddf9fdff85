"""Removes what an embedded stack keeps between runs: python -m stack.clean [folder]."""

import shutil
import sys
from pathlib import Path

from stack import binaries
from stack.account import remove_private_directory


def main() -> None:
    discard(Path(sys.argv[1] if len(sys.argv) > 1 else ".stack"))
    remove_private_directory(binaries.postgres())


def discard(directory: Path) -> None:
    """Remove the state of one stack that is not running."""
    remove_private_directory(directory)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
