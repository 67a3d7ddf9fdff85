"""Import rules for the top-level modules, which import-linter cannot take as roots."""

import ast
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

FORBIDDEN: Final = {
    "cli.py": {"activities", "domain", "workflows", "fastapi", "sqlalchemy", "temporalio"},
    "worker.py": {"api", "courier", "stack", "sandbox", "fastapi", "sqlalchemy"},
}


def imported_packages(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    taken_from = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | taken_from}


@pytest.mark.parametrize(("module", "forbidden"), FORBIDDEN.items())
def test_keeps_to_its_layer(module: str, forbidden: set[str]) -> None:
    assert not imported_packages(ROOT / module) & forbidden
