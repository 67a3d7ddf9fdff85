"""Code blocks of a documentation page, extracted to be run."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import referrals_client


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def run_snippet(source: str) -> Mapping[str, Any]:
    """Run a snippet with the client's names in scope, and return the names that it defines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "referrals_client":
            assert {alias.name for alias in node.names} <= set(referrals_client.__all__)
    names: dict[str, Any] = {}
    exec(compile(source, "snippet", "exec"), names)  # noqa: S102 - our own page
    return names
