"""Import rules for the processes' entry points."""

import ast
from pathlib import Path
from typing import Final

import pytest

from tests import ROOT

FORBIDDEN: Final = {
    "cli": {"activities", "domain", "workflows", "fastapi", "sqlalchemy", "temporalio"},
    "caretaker.py": {"api", "stack", "sandbox", "fastapi", "sqlalchemy"},
    "worker.py": {"api", "courier", "stack", "sandbox", "fastapi", "sqlalchemy"},
    "worker_health.py": {"activities", "api", "courier", "stack", "sandbox", "fastapi"},
}


def imported_packages(path: Path) -> set[str]:
    """Return the packages that a module, or any of a package, imports."""
    modules = [path] if path.is_file() else sorted(path.glob("*.py"))
    assert modules
    nodes = [node for module in modules for node in ast.walk(ast.parse(module.read_text()))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    taken_from = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | taken_from}


@pytest.mark.parametrize(("module", "forbidden"), FORBIDDEN.items())
def test_keeps_to_its_layer(module: str, forbidden: set[str]) -> None:
    assert not imported_packages(ROOT / module) & forbidden
