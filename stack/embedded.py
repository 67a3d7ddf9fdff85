"""`running`: the embedded stack from its first folder to its last stopped child."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack import ours, ports, postgres, temporal
from stack.account import remove_private_directory
from stack.child import ChildSpec
from stack.connection import CONNECTION_FILE, Connection
from stack.files import replace_private_text
from stack.keyring import Keyring
from stack.lock import held
from stack.supervisor import Supervisor

Progress = Callable[[str], None]

_LOCK: Final = "lock"
_LOGS: Final = "logs"
_SECRETS: Final = "secrets.json"
PASSED_THROUGH_VARIABLES: Final = (
    "REFERRALS_IOS_APP_ID",
    "REFERRALS_IOS_APP_STORE_URL",
    "REFERRALS_ANDROID_PACKAGE",
    "REFERRALS_ANDROID_CERT_FINGERPRINTS",
    "REFERRALS_JURISDICTION_HEADER",
    "REFERRALS_RATE_LIMITS",
)
"""What the link offers, for whoever tries it here; all else is the stack's own business."""
ENVIRONMENT: Final = "environment"
"""REFERRALS_* lines for the commands of an operator, readable by the owner only."""


@asynccontextmanager
async def running(
    directory: Path, *, fresh: bool = False, progress: Progress = lambda _: None
) -> AsyncIterator[Connection]:
    """Everything up and kept up, with its state in `directory`; all stopped on the way out.

    Raises AlreadyRunningError when the folder is in use, StartError when a child does not start.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with held(directory / _LOCK):
        if fresh:
            _forget(directory)
        plan = await asyncio.to_thread(_prepare, directory)
        if plan.cluster.place != directory:
            progress(f"PostgreSQL's account cannot enter {directory}; see {plan.cluster.place}")
        async with _supervise(plan, progress) as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class _Plan:
    directory: Path
    ports: Mapping[str, int]
    keyring: Keyring
    cluster: postgres.Postgres

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self.ports['temporal']}"

    @property
    def environment(self) -> dict[str, str]:
        values = {
            "database_url": postgres.sqlalchemy_url(self.cluster.application_dsn),
            "owner_database_url": postgres.sqlalchemy_url(self.cluster.owner_dsn),
            "temporal_address": self.temporal_address,
            "temporal_namespace": temporal.NAMESPACE,
            "hash_key": self.keyring.hash_key,
            "token_key": self.keyring.token_key,
            "public_url": self.url("api"),
            "api_port": str(self.ports["api"]),
            "worker_metrics_port": str(self.ports["worker_metrics"]),
        }
        chosen = {name: os.environ[name] for name in PASSED_THROUGH_VARIABLES if name in os.environ}
        return {f"REFERRALS_{name.upper()}": value for name, value in values.items()} | chosen

    def connection(self, keyring: Keyring, pids: Mapping[str, int]) -> Connection:
        return Connection(
            api_url=self.url("api"),
            api_key=keyring.api_key or "",
            approver_api_key=keyring.approver_api_key or "",
            temporal_address=self.temporal_address,
            temporal_ui_url=self.url("temporal_ui"),
            temporal_metrics_url=f"{self.url('temporal_metrics')}/metrics",
            worker_metrics_url=f"{self.url('worker_metrics')}/metrics",
            postgres_dsn=self.cluster.application_dsn,
            postgres_owner_dsn=self.cluster.owner_dsn,
            kafka_bootstrap_servers=None,
            pids=pids,
            environment=self.environment,
        )


def _prepare(directory: Path) -> _Plan:
    (directory / _LOGS).mkdir(exist_ok=True)
    chosen = ports.choose(directory / "ports.json")
    keyring = Keyring.open(directory / _SECRETS)
    cluster = postgres.cluster_for(directory, port=chosen["postgres"], keyring=keyring)
    cluster.initialise()
    return _Plan(directory, chosen, keyring, cluster)


@asynccontextmanager
async def _supervise(plan: _Plan, progress: Progress) -> AsyncIterator[Connection]:
    keyring = plan.keyring
    file = plan.directory / CONNECTION_FILE
    # A supervisor that was killed could not remove it, and all it says is wrong by now.
    file.unlink(missing_ok=True)

    def publish() -> Connection:
        connection = plan.connection(keyring, supervisor.pids)
        connection.save(plan.directory)
        return connection

    def publish_again() -> None:
        if file.exists():
            publish()

    supervisor = Supervisor(logs=plan.directory / _LOGS, changed=publish_again)
    lines = "".join(f"{name}={value}\n" for name, value in plan.environment.items())
    replace_private_text(plan.directory / ENVIRONMENT, lines)
    try:
        progress("starting PostgreSQL and Temporal")
        await supervisor.start(plan.cluster.child(), _temporal(plan))
        progress("migrating the schema")
        keyring = await _prepare_database(plan)
        progress("starting api, worker and courier")
        await supervisor.start(*ours.children(plan.environment, api_url=plan.url("api")))
        yield publish()
    finally:
        progress("stopping")
        await supervisor.stop()
        file.unlink(missing_ok=True)


def _temporal(plan: _Plan) -> ChildSpec:
    return temporal.child(database=plan.directory / "temporal.db", ports=plan.ports)


async def _prepare_database(plan: _Plan) -> Keyring:
    await plan.cluster.create_roles()
    await ours.migrate(plan.environment, logs=plan.directory / _LOGS)
    return await ours.with_api_keys(
        plan.keyring,
        plan.directory / _SECRETS,
        database_url=postgres.sqlalchemy_url(plan.cluster.application_dsn),
    )


def _forget(directory: Path) -> None:
    remove_private_directory(directory)
    for path in directory.iterdir():
        if path.name == _LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
