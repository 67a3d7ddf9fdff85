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


def read_erasures(directory: Path) -> dict[str, datetime]:
    """Return the players of a directory's log, with the time of the last erasure of each."""
    path = directory / FILE_NAME
    lines = path.read_text().splitlines() if path.exists() else []
    erasures = map(json.loads, lines)
    return {line["player_id"]: datetime.fromisoformat(line["at"]) for line in erasures}
