"""Docstrings begin as agreed: functions with a verb, classes and modules with a noun phrase."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
SKIPPED: Final = (".", "build", "client/build", "db/migrations/versions")
"""Hidden folders, builds, and migrations: those are never edited once released."""

CLAUSE: Final = re.compile(
    r"(What|Who|Whoever|Whom|Whose|Whether|Which|When|Where|Why|How|Of|That|Those|So|None)\b"
)
"""The beginning of a clause that stands for a noun, which a reader must decode."""
NO_VERB: Final = re.compile(
    r"(A|All|An|And|Any|As|At|Both|By|Each|Either|Every|For|From|If|In|Its?|Long|Neither|Nobody|No"
    r"|Not|Nothing|On|One|Only|Several|Somebody|Some|Such|The|Their|There|These|They|This|Three|To"
    r"|Two|Without|With)\b|[^A-Za-z]"
)
"""The beginning of a noun phrase or a condition; ruff's D401 finds verbs in other moods."""


class Docstring(NamedTuple):
    place: str
    text: str
    needs_verb: bool


def docstrings() -> Iterator[Docstring]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(SKIPPED) and "/." not in name:
            yield from docstrings_of(name, ast.parse(path.read_text()))


def docstrings_of(name: str, tree: ast.Module) -> Iterator[Docstring]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            is_action = not isinstance(node, ast.Module | ast.ClassDef) and not is_property(node)
            text = ast.get_docstring(node)
            if text is not None:
                yield Docstring(f"{name}:{getattr(node, 'lineno', 1)}", text, is_action)
        body = getattr(node, "body", [])
        if isinstance(node, ast.Module | ast.ClassDef):
            yield from (
                Docstring(f"{name}:{note.lineno}", note.value.value, needs_verb=False)
                for constant, note in pairwise(body)
                if isinstance(constant, ast.Assign | ast.AnnAssign)
                and isinstance(note, ast.Expr)
                and isinstance(note.value, ast.Constant)
                and isinstance(note.value.value, str)
            )


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"property", "cached_property", "fixture"})


def faults_of(found: Docstring) -> Iterator[str]:
    if CLAUSE.match(found.text):
        yield f"{found.place} begins with a clause: {found.text.splitlines()[0]}"
    elif found.needs_verb and NO_VERB.match(found.text):
        yield f"{found.place} does not begin with a verb: {found.text.splitlines()[0]}"


def test_docstrings_begin_as_agreed() -> None:
    assert [fault for found in docstrings() for fault in faults_of(found)] == []


@pytest.mark.parametrize(
    ("text", "needs_verb"),
    [
        ("What a click brought.", False),
        ("Of a referral, the stage.", False),
        ("None for what is none.", True),
        ("The referral of a player.", True),
        ("0 when all went well.", True),
    ],
)
def test_a_docstring_that_must_be_decoded_is_found(text: str, *, needs_verb: bool) -> None:
    assert list(faults_of(Docstring("here", text, needs_verb))) != []
