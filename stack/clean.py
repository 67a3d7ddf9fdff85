"""Removal of the state of embedded stacks: python -m stack.clean [directory ...]."""

import shutil
import sys
from pathlib import Path

from stack.account import remove_private_directory
from stack.postgres import postgres_bin_directory


def main() -> None:
    for directory in sys.argv[1:] or (".stack", ".stack-demo"):
        discard(Path(directory))
    remove_private_directory(postgres_bin_directory())


def discard(directory: Path) -> None:
    """Remove the state of one stack, which must not be running."""
    remove_private_directory(directory)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
