"""Billed actions of Temporal, read from the metrics of a server of one's own."""

import asyncio
import re
import urllib.request
from dataclasses import dataclass
from typing import Final

# The server's own workflows, in another namespace, are nobody's bill.
ACTION_COUNTER: Final = re.compile(
    r'^action\{(?P<labels>.*namespace="default".*)\} (?P<count>\S+)$', re.MULTILINE
)
TYPE: Final = re.compile(r'action_type="(?P<type>[^"]*)"')
ACTS: Final = "command_ScheduleActivityTask"
PATIENCE_S: Final = 60.0
NOT_BILLED: Final = "command_RecordMarker"


@dataclass(frozen=True, slots=True)
class Meter:
    metrics_port: int

    async def actions(self, *, acts: int = 0) -> dict[str, int]:
        """Return the billed actions since the start by type, once `acts` activities are counted."""
        async with asyncio.timeout(PATIENCE_S):
            # The server publishes its counters every second, and sends no event.
            while (counts := await self._counts()).get(ACTS, 0) < acts:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return counts

    async def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for found in ACTION_COUNTER.finditer(await asyncio.to_thread(self._fetch_metrics)):
            kind = TYPE.search(found["labels"])
            name = kind["type"] if kind else "unknown"
            counts[name] = counts.get(name, 0) + int(float(found["count"]))
        counts.pop(NOT_BILLED, None)
        return counts

    def _fetch_metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as page:
            text: str = page.read().decode()
        return text


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    grown = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    return {kind: count for kind, count in grown.items() if count}
