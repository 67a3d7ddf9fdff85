"""The unprivileged account that PostgreSQL needs where we are root, and what it can reach."""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CANDIDATES: Final = ("postgres", "nobody")
_PRIVATE_ROOT: Final = Path("/var/tmp")  # noqa: S108 - `private_place` checks who owns its folder


@dataclass(frozen=True, slots=True)
class Account:
    """None stands for ourselves, whoever we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether the account may enter the folder, or run the file."""
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
    """Ourselves, unless we are root, whom PostgreSQL refuses; LookupError when nobody else is."""
    if os.geteuid() != 0:
        return Account()
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LookupError(f"PostgreSQL does not run as root and there is no account {_CANDIDATES}")


def private_place(directory: Path) -> Path:
    """A folder of ours outside `directory`, for what the account cannot reach inside it."""
    place = private_directory(directory)
    place.mkdir(mode=0o711, exist_ok=True)
    owner = place.lstat()
    if place.is_symlink() or owner.st_uid != os.geteuid():
        raise PermissionError(f"{place} belongs to somebody else")
    place.chmod(0o711)
    return place


def private_directory(directory: Path) -> Path:
    name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
    return _PRIVATE_ROOT / f"referrals-{name}"


def remove_private_directory(directory: Path) -> None:
    place = private_directory(directory)
    if place.is_dir() and place.lstat().st_uid == os.geteuid():
        shutil.rmtree(place)
