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
PUBLISHED_EVERY_S: Final = 2.5
PATIENCE_S: Final = 60.0
NOT_BILLED: Final = "command_RecordMarker"


@dataclass(frozen=True, slots=True)
class Meter:
    metrics_port: int

    async def actions(self) -> dict[str, int]:
        """Return the billed actions that the server has published by now, by type."""
        return await self._counts()

    async def settled(self) -> dict[str, int]:
        """Return the billed actions once the counters, published every second, stand still."""
        async with asyncio.timeout(PATIENCE_S):
            counts = await self._counts()
            await asyncio.sleep(PUBLISHED_EVERY_S)
            # The server sends no event when it publishes.
            while counts != (counts := await self._counts()):  # noqa: ASYNC110
                await asyncio.sleep(PUBLISHED_EVERY_S)
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
