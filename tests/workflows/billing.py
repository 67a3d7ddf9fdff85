"""What Temporal bills, read from the counter of a server of one's own."""

import asyncio
import re
import urllib.request
from dataclasses import dataclass
from typing import Final

COUNTED: Final = re.compile(r"^action\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)
TYPE: Final = re.compile(r'action_type="(?P<type>[^"]*)"')
NOT_BILLED: Final = "command_RecordMarker"


@dataclass(frozen=True, slots=True)
class Meter:
    metrics_port: int

    async def actions(self) -> dict[str, int]:
        """Billed actions since the server was started, by type."""
        page = await asyncio.to_thread(self._page)
        counts: dict[str, int] = {}
        for found in COUNTED.finditer(page):
            kind = TYPE.search(found["labels"])
            name = kind["type"] if kind else "unknown"
            counts[name] = counts.get(name, 0) + int(float(found["count"]))
        counts.pop(NOT_BILLED, None)
        return counts

    def _page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as page:
            text: str = page.read().decode()
        return text


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    grown = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    return {kind: count for kind, count in grown.items() if count}
