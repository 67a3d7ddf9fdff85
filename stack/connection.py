"""What a client of a running embedded stack needs to know, as kept in connection.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from runtime.settings import Settings
from stack.files import replace_private

CONNECTION_FILE: Final = "connection.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """Addresses and keys; `pids` are those of the moment it was read: load again after a crash."""

    api_url: str
    api_key: str
    approver_api_key: str
    temporal_address: str
    temporal_ui_url: str
    temporal_metrics_url: str
    worker_metrics_url: str
    postgres_dsn: str
    postgres_owner_dsn: str
    kafka_bootstrap_servers: str | None
    pids: Mapping[str, int]
    environment: Mapping[str, str]
    """REFERRALS_* of the children; not written to the file."""

    def settings(self) -> Settings:
        return Settings.model_validate(
            {name.removeprefix("REFERRALS_").lower(): v for name, v in self.environment.items()}
        )

    def save(self, directory: Path) -> None:
        content = asdict(self)
        del content["environment"]
        replace_private(directory / CONNECTION_FILE, content)


def read_pids(directory: Path) -> dict[str, int]:
    """Who runs now, by name; a child that died is listed until its successor is ready."""
    pids: dict[str, int] = json.loads((directory / CONNECTION_FILE).read_text())["pids"]
    return pids
