"""Existence of everything that the pages name: files, commands, settings, functions, queries."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text
from typer import Typer

from cli import app
from courier.main import MIN_POOL_SIZE
from db.engine import Database
from referrals.verification.invariants import INVARIANTS
from runtime.care_settings import CareSettings
from runtime.key_settings import KeySettings
from runtime.settings import ClientSettings, MigrationSettings, Settings
from tests import ROOT

SETTINGS: Final = {
    **MigrationSettings.model_fields,
    **KeySettings.model_fields,
    **ClientSettings.model_fields,
    **CareSettings.model_fields,
    **Settings.model_fields,
}
"""Settings of the commands and of the processes; what a process does not need is optional."""
PAGES: Final = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "client/README.md"])
LINK: Final = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
OF_COMPOSE: Final = {"REFERRALS_METRICS_KEY"}
"""Read by docker-compose.yml itself, for Prometheus."""
RUNBOOK: Final = ROOT / "docs/runbook.md"
NAMED_CODE: Final = re.compile(r"\]\(([^)\s]+\.py)\), `([a-z_]+)`")
NAMED_TABLE: Final = re.compile(r"`([A-Z_]+)` in \[[^\]]+\]\(([^)\s]+\.py)\)")
COMMAND: Final = re.compile(r"(?:^|`)referrals ([a-z-]+(?: [a-z-]+)?)", re.MULTILINE)
TARGET: Final = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
VARIABLE: Final = re.compile(r"\bREFERRALS_[A-Z_]+[A-Z]\b")
SETTING: Final = re.compile(r"^\| `(REFERRALS_\w+)` \| (`[^`]+`|\S+) \|", re.MULTILINE)
CODE: Final = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


QUERIES: Final = [
    query.strip()
    for block in re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(), re.DOTALL)
    for query in block.split(";")
    if query.strip()
]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=page_name)


@every_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    missing = []
    for path, anchor in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor[1:] not in anchors(target)):
            missing.append(path + anchor)
    assert not missing


@every_page
def test_functions_named_beside_a_link_are_in_that_file(page: Path) -> None:
    missing = [
        (path, name)
        for path, name in NAMED_CODE.findall(page.read_text())
        if f"def {name}(" not in (page.parent / path).read_text()
    ]
    assert not missing


@every_page
def test_tables_are_in_the_files_that_are_named_beside_them(page: Path) -> None:
    missing = [
        (name, path)
        for name, path in NAMED_TABLE.findall(page.read_text())
        if not re.search(rf"^{name}\b.* = ", (page.parent / path).read_text(), re.MULTILINE)
    ]
    assert not missing


@every_page
def test_commands_exist(page: Path) -> None:
    code = "\n".join(CODE.findall(page.read_text()))
    known = set(commands(app))
    named = {name if name in known else name.partition(" ")[0] for name in COMMAND.findall(code)}
    assert named - known == set()


@every_page
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    code = "\n".join(CODE.findall(page.read_text()))
    missing = [name for name in TARGET.findall(code) if f"\n{name}:" not in makefile]
    assert not missing


@every_page
def test_settings_exist(page: Path) -> None:
    assert set(VARIABLE.findall(page.read_text())) <= variables() | OF_COMPOSE


def test_a_page_lists_every_setting_with_its_default() -> None:
    rows = SETTING.findall((ROOT / "docs/settings.md").read_text())
    assert dict(rows) == {f"REFERRALS_{name.upper()}": default_of(name) for name in SETTINGS}


def test_the_readme_names_the_settings_that_are_required() -> None:
    required = {f"REFERRALS_{name.upper()}" for name in SETTINGS if default_of(name) == "required"}
    (sentence,) = re.findall(
        r"Four are required: (.*?)\. If", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert set(VARIABLE.findall(sentence)) == required
    assert len(required) == 4


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_every_capability_from_the_highest_floor_down(page: str) -> None:
    shown = (ROOT / page).read_text().replace("independent of each other", "")
    floors = [sorted(floor.split(" | ")) for floor in capabilities()]
    pattern = r"[\s|]+".join(r"\s+".join(floor) for floor in floors)
    assert re.search(pattern, shown), floors


@pytest.mark.parametrize("page", ["README.md", "docs/databases.md"])
def test_pages_tell_how_many_connections_a_courier_has_at_least(page: str) -> None:
    assert re.findall(r"courier at least (\w+)", (ROOT / page).read_text()) == [str(MIN_POOL_SIZE)]


def test_the_runbook_speaks_of_every_check() -> None:
    runbook = RUNBOOK.read_text()
    assert [check.name for check in INVARIANTS if f"`{check.name}`" not in runbook] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs/decisions"
    pages = {page.name for page in folder.glob("[0-9]*.md")}
    assert pages == set(re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text()))


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_of_the_runbook_runs(database: Database, query: str) -> None:
    async with database.reading() as session:
        await session.execute(text(query))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def commands(typer: Typer) -> Iterator[str]:
    """Yield the commands of a program, its groups and the commands in them, as they are typed."""
    for command in typer.registered_commands:
        yield str(command.name or getattr(command.callback, "__name__", ""))
    for group in typer.registered_groups:
        if group.typer_instance:
            # The commands of a group without a name are the program's own.
            names = commands(group.typer_instance)
            yield from (f"{group.name} {name}" if group.name else name for name in names)
            yield from [str(group.name)] if group.name else []


def capabilities() -> list[str]:
    """Return the floors of `referrals/` by the contract of imports."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (floors,) = [
        contract["layers"]
        for contract in tools["importlinter"]["contracts"]
        if contract.get("containers") == ["referrals"]
    ]
    return list(floors)


def variables() -> set[str]:
    return {f"REFERRALS_{name.upper()}" for name in SETTINGS}


def default_of(name: str) -> str:
    field = SETTINGS[name]
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    return "none" if default in (None, {}) else f"`{default}`"
