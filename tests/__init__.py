"""Tests, in the folders of what they test; they run against real servers."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
"""The repository. Not resolved: the workflow sandbox imports this and forbids file access."""
