"""Removal of the state of an embedded stack: python -m stack.clean [directory]."""

import shutil
import sys
from pathlib import Path

from stack.account import remove_private_directory
from stack.postgres import postgres_bin_directory


def main() -> None:
    discard(Path(sys.argv[1] if len(sys.argv) > 1 else ".stack"))
    remove_private_directory(postgres_bin_directory())


def discard(directory: Path) -> None:
    """Remove the state of one stack, which must not be running."""
    remove_private_directory(directory)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
