"""The secrets of one embedded stack, made at its first run and kept in its folder."""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from stack.files import replace_private


def _secret() -> str:
    return secrets.token_hex(24)


@dataclass(frozen=True, slots=True)
class Keyring:
    superuser_password: str = field(default_factory=_secret)
    owner_password: str = field(default_factory=_secret)
    app_password: str = field(default_factory=_secret)
    hash_key: str = field(default_factory=_secret)
    token_key: str = field(default_factory=_secret)
    api_key: str | None = None
    approver_api_key: str | None = None

    @classmethod
    def open(cls, path: Path) -> "Keyring":
        """Read what an earlier run kept, or make new secrets and keep them."""
        if path.exists():
            return cls(**json.loads(path.read_text()))
        made = cls()
        replace_private(path, asdict(made))
        return made

    def with_api_keys(self, path: Path, *, api_key: str, approver_api_key: str) -> "Keyring":
        grown = replace(self, api_key=api_key, approver_api_key=approver_api_key)
        replace_private(path, asdict(grown))
        return grown
