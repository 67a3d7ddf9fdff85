"""The unprivileged account that PostgreSQL needs where we are root, and its directories."""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CANDIDATES: Final = ("postgres", "nobody")
_PRIVATE_ROOT: Final = Path("/var/tmp")  # noqa: S108 - `ensure_private_directory` checks its owner


@dataclass(frozen=True, slots=True)
class Account:
    """A system account; without ids, the one this process runs under."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Return whether the account may enter the directory, or run the file."""
        tested = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$0"', str(path.resolve())],
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            cwd="/",
            check=False,
        )
        return tested.returncode == 0


def postgres_account() -> Account:
    """Return the account to run PostgreSQL under: it refuses to run as root.

    LookupError when this process is root and no other account exists.
    """
    if os.geteuid() != 0:
        return Account()
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LookupError(f"PostgreSQL does not run as root and there is no account {_CANDIDATES}")


def ensure_private_directory(directory: Path) -> Path:
    """Create a directory outside `directory`, for files that the account cannot reach inside it."""
    path = private_directory(directory)
    path.mkdir(mode=0o711, exist_ok=True)
    owner = path.lstat()
    if path.is_symlink() or owner.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another account")
    path.chmod(0o711)
    return path


def private_directory(directory: Path) -> Path:
    name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
    return _PRIVATE_ROOT / f"referrals-{name}"


def remove_private_directory(directory: Path) -> None:
    path = private_directory(directory)
    if path.is_dir() and path.lstat().st_uid == os.geteuid():
        shutil.rmtree(path)
