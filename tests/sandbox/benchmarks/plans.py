"""Plans of every statement that a database runs, with the rows that each really read."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy import event

from db.engine import Database

# auto_explain sends the plan of each statement to its session, those in functions and triggers too.
SETTINGS: Final = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_level": "notice",
    "auto_explain.log_format": "json",
}
_MESSAGE: Final = re.compile(r"duration: ([\d.]+) ms  plan:\n(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement as it was run once."""

    statement: str
    duration_ms: float
    root: dict[str, Any]

    @property
    def rows_read(self) -> int:
        """The most rows that one of its nodes read, those that it then left out included."""
        return max(round(rows_of(node)) for node in self.nodes())

    def nodes(self) -> Iterator[dict[str, Any]]:
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", ())

    def scanned(self) -> set[str]:
        """Return the tables that it reads from end to end."""
        return {n["Relation Name"] for n in self.nodes() if n["Node Type"] == "Seq Scan"}


class PlanRecorder:
    """Keeps the plans of all statements of a database's pool, which opens no connection before.

    Its sessions need SETTINGS.
    """

    def __init__(self, database: Database) -> None:
        self.plans: list[Plan] = []
        event.listen(database.engine.sync_engine, "connect", self._listen)

    async def take(self) -> tuple[Plan, ...]:
        """Return the plans since the last time, once the loop has received them."""
        # A plan is sent before its statement's result, and handed over by a callback of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        taken, self.plans = tuple(self.plans), []
        return taken

    def _listen(self, connection: Any, _: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter
        connection.driver_connection.add_log_listener(self._keep)

    def _keep(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        found = _MESSAGE.fullmatch(message.message)
        if found:
            explained = json.loads(found[2])
            self.plans.append(
                Plan(explained["Query Text"], float(found[1]), explained["Plan"]),
            )


def rows_of(node: dict[str, Any]) -> float:
    """Return how many rows a node read, those that it left out included."""
    left_out = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows = node.get("Actual Rows", 0) + sum(node.get(name, 0) for name in left_out)
    return float(rows * node.get("Actual Loops", 1))
