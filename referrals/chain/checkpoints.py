"""Checkpoints: the chain's newest link, signed with a key that the database's owner does not have.

They are lines of a file outside the database, each with the hash of the line before it.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

FILE_NAME: Final = "checkpoints.jsonl"
ALGORITHM: Final = "hmac-sha256"
_START: Final = "0" * 64


class CheckpointError(ValueError):
    """Checkpoints that are not what was written: forged, edited or incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The chain up to one link, as its writer saw it."""

    seq: int
    hash: str
    linked_at: str
    """Time of the link, RFC 3339."""
    previous: str = _START
    """SHA-256 of the line before it."""
    algorithm: str = ALGORITHM
    signature: str = ""

    def signed(self, key: bytes) -> Self:
        return replace(self, signature=self._sign(key))

    def is_signed_with(self, key: bytes) -> bool:
        return hmac.compare_digest(self.signature, self._sign(key))

    def line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def _sign(self, key: bytes) -> str:
        content = replace(self, signature="").line()
        return hmac.new(key, b"checkpoint\0" + content.encode(), hashlib.sha256).hexdigest()


def read_checkpoints(directory: Path, key: bytes) -> Sequence[Checkpoint]:
    """Return the checkpoints of a directory, oldest first; none where nothing was written.

    Raises CheckpointError for a line that is not signed, or that does not follow the one before.
    """
    path = directory / FILE_NAME
    lines = path.read_text().splitlines() if path.exists() else []
    before, found = _START, []
    for number, line in enumerate(lines, start=1):
        checkpoint = _parsed(line, number)
        if not checkpoint.is_signed_with(key):
            raise CheckpointError(f"checkpoint {number} is not signed with this key")
        if checkpoint.previous != before:
            raise CheckpointError(f"checkpoint {number} does not follow the one before it")
        before = _digest(line)
        found.append(checkpoint)
    return found


def _parsed(line: str, number: int) -> Checkpoint:
    try:
        return Checkpoint(**json.loads(line))
    except (TypeError, ValueError):
        raise CheckpointError(f"checkpoint {number} cannot be read") from None


def append_checkpoint(directory: Path, checkpoint: Checkpoint, key: bytes) -> None:
    """Sign a checkpoint and append it to the file, synced to disk."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / FILE_NAME).open("a+") as file:
        # Couriers and the verifier append to the same file: each line has the hash of the one
        # before it. The lock ends with the file.
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = file.read().splitlines()
        previous = _digest(lines[-1]) if lines else _START
        file.write(replace(checkpoint, previous=previous).signed(key).line() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
