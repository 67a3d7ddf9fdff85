"""Files of the embedded stack that are replaced whole and read by their owner only."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def replace_private(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON so that a reader sees the old file or the new one, and only the owner sees it."""
    replace_private_text(path, json.dumps(content, indent=2))


def replace_private_text(path: Path, text: str) -> None:
    """The same for any text."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
