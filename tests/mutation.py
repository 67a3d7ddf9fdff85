"""Mutation run: changes the money rules in one place at a time, and counts what the tests notice.

`python -m tests.mutation` changes every module of TARGETS, `python -m tests.mutation PATH` one. It
names each survivor, and fails when fewer than 90 % are killed.

Two survivors are known and change nothing. `status_order` in eligibility.py without its `event_id`
makes the order of two changes of one instant the same on every machine, and no such pair ends
otherwise, because a restoration already comes after what it ends. `_open_minor` in
qualification.py that counts each kind from 1 takes as much away again as it adds.
"""

# ruff: noqa: T201 - it prints its report

import ast
import copy
import importlib.abc
import importlib.machinery
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, TypeVar

import pytest
from hypothesis import Phase, settings

TARGETS: Final = (
    "domain/money.py",
    "domain/campaigns/terms.py",
    "domain/ledger/movements.py",
    "domain/rewards/due.py",
    "domain/rewards/eligibility.py",
    "domain/rewards/holds.py",
    "domain/rewards/qualification.py",
    "domain/rewards/reward.py",
)
TESTS: Final = ("test_money.py", "test_stored_words.py", "rewards", "ledger", "campaigns")
"""The tests in tests/domain that must notice."""
LOWEST_KILLED_SHARE: Final = 0.9
JOBS: Final = 2
TIMEOUT_S: Final = 120
"""Limit of the tests of one mutant, which may loop for ever; it is killed then."""

_ANSWERS: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
"""Exit codes of tests that ran, or of a mutant that could not be imported."""

_OPERATORS: Final[dict[type[ast.AST], type[Any]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_ELEMENTS: Final = {"elts", "keywords", "ifs", "cases", "dict values"}
"""Lists of which each element is left out in turn."""
_NOT_CODE: Final = {"annotation", "returns", "decorator_list", "args", "bases", "targets", "target"}
_WITHOUT_RULES: Final = (ast.Import, ast.ImportFrom, ast.JoinedStr)
"""Nodes that are not changed: nobody's money depends on the wording of an error."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module."""

    path: str
    line: int
    before: str
    after: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


def main(chosen: Sequence[str]) -> int:
    # A failure is not made small: it is enough that there is one.
    settings.register_profile(
        "mutation", max_examples=50, derandomize=True, database=None, phases=[Phase.generate]
    )
    if _run_tests(verbosity="-q") != 0:
        return 2
    _forget_own_modules()
    mutants = [mutant for path in chosen or TARGETS for mutant in mutants_of(path)]
    survivors = _survivors(mutants)
    print(*survivors, sep="\n")
    killed = len(mutants) - len(survivors)
    print(f"{killed} of {len(mutants)} mutants were killed ({killed / len(mutants):.1%})")
    return 0 if killed >= LOWEST_KILLED_SHARE * len(mutants) else 1


def mutants_of(path: str) -> Iterator[Mutant]:
    tree = ast.parse(Path(path).read_text())
    for index, (parent, field, position) in enumerate(_places(tree)):
        node = _get(parent, field, position)
        role = "dict values" if isinstance(parent, ast.Dict) and field == "values" else field
        for choice, after in enumerate(_alternatives(node, role)):
            mutated = copy.deepcopy(tree)
            place = list(_places(mutated))[index]
            _set(*place, list(_alternatives(_get(*place), role))[choice])
            code = compile(ast.fix_missing_locations(mutated), path, "exec")
            yield Mutant(path, _line(node), _shown(node), _shown(after), code)


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield where code stands: parent, field, and position in a list."""
    for field, value in ast.iter_fields(node):
        if field in _NOT_CODE and not isinstance(node, ast.Call):
            continue
        for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not isinstance(child, _WITHOUT_RULES):
                yield node, field, position
                yield from _places(child)


def _alternatives(node: ast.AST, field: str) -> Iterator[ast.AST | None]:
    """Yield what may stand in the place of a node; None leaves it out of its list."""
    if field in _ELEMENTS:
        yield None
    if isinstance(node, ast.stmt):
        yield from _other_statements(node)
    else:
        yield from _other_operations(node)
        yield from _other_values(node)


def _other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.If():
            yield from _with_tests(node)
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Assign() | ast.AugAssign() | ast.Raise():
            yield ast.Pass()


def _other_operations(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            for position, operator in enumerate(node.ops):
                changed = copy.deepcopy(node)
                changed.ops[position] = _OPERATORS[type(operator)]()
                yield changed
        case ast.BoolOp():
            yield ast.BoolOp(_OPERATORS[type(node.op)](), node.values)
            yield from node.values
        case ast.BinOp() if type(node.op) in _OPERATORS:
            yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        case ast.UnaryOp():
            yield node.operand


def _other_values(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool() as is_true):
            yield ast.Constant(not is_true)
        case ast.Constant(value=int() as number):
            yield ast.Constant(number + 1)
        case ast.Name(id=name) if name in _NAMES:
            yield ast.Name(_NAMES[name], ast.Load())
        case ast.IfExp():
            yield from _with_tests(node)


Conditional = TypeVar("Conditional", ast.If, ast.IfExp)


def _with_tests(node: Conditional) -> Iterator[Conditional]:
    for test in (True, False):
        changed = copy.copy(node)
        changed.test = ast.Constant(test)
        yield changed


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0) or getattr(getattr(node, "pattern", node), "lineno", 0)


def _shown(node: ast.AST | None) -> str:
    return "(left out)" if node is None else ast.unparse(node).replace("\n", " ")


def _get(parent: ast.AST, field: str, position: int | None) -> ast.AST:
    value = getattr(parent, field)
    found = value if position is None else value[position]
    assert isinstance(found, ast.AST)
    return found


def _set(parent: ast.AST, field: str, position: int | None, new: ast.AST | None) -> None:
    if position is None:
        setattr(parent, field, new)
    elif new is not None:
        getattr(parent, field)[position] = new
    else:
        del getattr(parent, field)[position]
        if isinstance(parent, ast.Dict):
            del parent.keys[position]


def _survivors(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants whose tests pass; each is tested in a process of its own."""
    running: dict[int, Mutant] = {}
    survivors: list[Mutant] = []
    for number, mutant in enumerate(mutants, start=1):
        running[_start(mutant)] = mutant
        if len(running) == JOBS or number == len(mutants):
            _collect(running, survivors, until=0 if number == len(mutants) else JOBS - 1)
    return survivors


def _collect(running: dict[int, Mutant], survivors: list[Mutant], *, until: int) -> None:
    while len(running) > until:
        pid, status = os.wait()
        mutant = running.pop(pid)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) not in _ANSWERS:
            raise RuntimeError(f"the tests of {mutant} did not run")
        if status == 0:
            print("survived", mutant, flush=True)
            survivors.append(mutant)


def _start(mutant: Mutant) -> int:
    """Start the tests of a mutant, and return the id of their process."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(TIMEOUT_S)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        sys.meta_path.insert(0, _MutantFinder(mutant))
        os._exit(_run_tests(verbosity="-qx"))
    return pid


def _run_tests(*, verbosity: str) -> int:
    tests = [f"tests/domain/{name}" for name in TESTS]
    options = ["--no-header", "--noconftest", "--hypothesis-profile=mutation"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([verbosity, *options, "-p", "no:cacheprovider", *tests]))


def _forget_own_modules() -> None:
    """Let each process import the project anew; the libraries stay imported."""
    root = Path.cwd()
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        is_own = origin and Path(origin).is_relative_to(root) and ".venv" not in origin
        if is_own and name != "__main__":
            del sys.modules[name]


class _MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in the place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = mutant.path.removesuffix(".py").replace("/", ".")
        self.code = mutant.code

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102 - the code is this project's own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
