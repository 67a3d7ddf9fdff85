"""Log of erasures outside the database, from which they are repeated after a restored backup."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

FILE_NAME: Final = "erasures.jsonl"


def append_erasure(directory: Path, player_id: str, *, at: datetime) -> None:
    """Append an erasure, synced to disk, before the database commits it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / FILE_NAME).open("a") as file:
        line = {"player_id": player_id, "at": at.astimezone(UTC).isoformat()}
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_erasures(directory: Path) -> list[str]:
    """Return the players of a directory's log, each once, in the order of their first erasure."""
    path = directory / FILE_NAME
    lines = path.read_text().splitlines() if path.exists() else []
    return list(dict.fromkeys(json.loads(line)["player_id"] for line in lines))
