"""The directory of one embedded stack: its lock, its secrets, and the file that clients read."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from runtime.settings import Settings

LOCK_FILE: Final = "lock"
LOGS: Final = "logs"
SECRETS_FILE: Final = "secrets.json"
PORTS_FILE: Final = "ports.json"
CONNECTION_FILE: Final = "connection.json"
ENVIRONMENT_FILE: Final = "environment"
"""REFERRALS_* lines for the commands of an operator, readable by the owner only."""
ENV_PREFIX: Final = "REFERRALS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Addresses and keys of a running stack; `pids` change when a child is restarted."""

    api_url: str
    console_url: str
    api_key: str
    approver_api_key: str
    temporal_address: str
    temporal_ui_url: str
    temporal_metrics_url: str
    worker_metrics_url: str
    courier_metrics_url: str
    postgres_dsn: str
    postgres_owner_dsn: str
    postgres_superuser_dsn: str
    kafka_bootstrap_servers: str
    pids: Mapping[str, int]
    environment: Mapping[str, str]
    """REFERRALS_* of the children; not written to the file."""

    def settings(self) -> Settings:
        return Settings.model_validate(
            {name.removeprefix(ENV_PREFIX).lower(): v for name, v in self.environment.items()}
        )

    def save(self, directory: Path) -> None:
        content = asdict(self)
        del content["environment"]
        replace_private(directory / CONNECTION_FILE, content)


def _secret() -> str:
    return secrets.token_hex(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The secrets of a stack, made at its first run."""

    superuser_password: str = field(default_factory=_secret)
    owner_password: str = field(default_factory=_secret)
    app_password: str = field(default_factory=_secret)
    hash_key: str = field(default_factory=_secret)
    hash_key_version: int = 1
    earlier_hash_keys: dict[str, str] = field(default_factory=dict)
    """Earlier hash keys by version, which are still read with."""
    token_key: str = field(default_factory=_secret)
    api_key: str | None = None
    approver_api_key: str | None = None

    @classmethod
    def open(cls, path: Path) -> "Keyring":
        """Read the secrets of an earlier run, or make and save new ones."""
        if path.exists():
            return cls(**json.loads(path.read_text()))
        keyring = cls()
        replace_private(path, asdict(keyring))
        return keyring

    def rotate_hash_key(self, path: Path) -> "Keyring":
        """Save the keyring with a new hash key, under the next version."""
        keyring = replace(
            self,
            hash_key=_secret(),
            hash_key_version=self.hash_key_version + 1,
            earlier_hash_keys={
                **self.earlier_hash_keys,
                str(self.hash_key_version): self.hash_key,
            },
        )
        replace_private(path, asdict(keyring))
        return keyring

    def save_api_keys(self, path: Path, *, api_key: str, approver_api_key: str) -> "Keyring":
        keyring = replace(self, api_key=api_key, approver_api_key=approver_api_key)
        replace_private(path, asdict(keyring))
        return keyring


def rotate_hash_key(directory: Path) -> int:
    """Replace the hash key of a stopped stack; return its version.

    Raises AlreadyRunningError while the stack runs.
    """
    with hold_lock(directory / LOCK_FILE):
        keyring = Keyring.open(directory / SECRETS_FILE)
        return keyring.rotate_hash_key(directory / SECRETS_FILE).hash_key_version


class AlreadyRunningError(Exception):
    """Another supervisor runs in this directory."""


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock file, with our pid in it; AlreadyRunningError when another process holds it."""
    with path.open("a+") as file:
        try:
            # The kernel releases this lock when its holder ends, so a kill -9 leaves none behind.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(_refusal(path)) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def replace_private(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON atomically, readable by the owner only."""
    replace_private_text(path, json.dumps(content, indent=2))


def replace_private_text(path: Path, text: str) -> None:
    """Write a file atomically, readable by the owner only."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def _refusal(path: Path) -> str:
    holder = path.read_text().strip() or "unknown"
    return f"{path.parent} is already running under process {holder}; stop that one first"
