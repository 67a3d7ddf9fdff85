"""`run_stack`: starts the embedded stack in a directory, keeps it running, and stops it."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from stack import kafka, ports, postgres, referral_processes, temporal
from stack.account import remove_private_directory
from stack.child import ChildSpec
from stack.state_directory import (
    CONNECTION_FILE,
    ENV_PREFIX,
    ENVIRONMENT_FILE,
    LOCK_FILE,
    LOGS,
    PORTS_FILE,
    SECRETS_FILE,
    Connection,
    Keyring,
    hold_lock,
    replace_private_text,
)
from stack.supervisor import Supervisor

Progress = Callable[[str], None]
Preparation = Callable[[Connection], Awaitable[None]]
"""An act on the migrated database before the api, the worker and the courier start."""

DEFAULTS: Final = {"REFERRALS_DIRECT_SIGNALS": "open", "REFERRALS_WEBHOOK_ADDRESSES": "any"}
"""Settings of which the stack has other defaults, for services and receivers on this machine."""


_LATE_PORTS: Final = ("api", "worker_metrics", "courier_metrics")
"""Ports of the processes that start last."""


@asynccontextmanager
async def run_stack(
    directory: Path,
    *,
    fresh: bool = False,
    progress: Progress = lambda _: None,
    broker: ChildSpec | None = None,
    prepare: Preparation | None = None,
    yields: bool = True,
) -> AsyncIterator[Connection]:
    """Run every process, with its state in `directory`, and stop them all on leaving.

    `broker` is another one than librdkafka's mock cluster, at the port that the directory names.
    Without `yields`, worker, courier, Temporal and broker have the same priority as all others.
    Raises AlreadyRunningError when another stack runs there, StartError when a child fails.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with hold_lock(directory / LOCK_FILE):
        if fresh:
            _reset(directory)
        plan = await asyncio.to_thread(_prepare, directory, broker)
        base = plan.cluster.base_directory
        if base != directory:
            progress(f"PostgreSQL's account cannot enter {directory}; its data is in {base}")
        async with _supervise(plan, progress, prepare, yields=yields) as connection:
            yield connection


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    directory: Path
    ports: Mapping[str, int]
    keyring: Keyring
    cluster: postgres.PostgresCluster
    broker: ChildSpec

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self.ports['temporal']}"

    @property
    def kafka_bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.ports['kafka']}"

    @property
    def environment(self) -> dict[str, str]:
        """The REFERRALS_* of the caller, and over them those that the stack sets itself."""
        values = {
            "database_url": postgres.sqlalchemy_url(self.cluster.application_dsn),
            "owner_database_url": postgres.sqlalchemy_url(self.cluster.owner_dsn),
            "temporal_address": self.temporal_address,
            "temporal_namespace": temporal.NAMESPACE,
            "hash_key": self.keyring.hash_key,
            "hash_key_version": str(self.keyring.hash_key_version),
            "earlier_hash_keys": json.dumps(self.keyring.earlier_hash_keys),
            "token_key": self.keyring.token_key,
            "public_url": self.url("api"),
            "temporal_ui_url": self.url("temporal_ui"),
            "api_port": str(self.ports["api"]),
            "worker_metrics_port": str(self.ports["worker_metrics"]),
            "courier_metrics_port": str(self.ports["courier_metrics"]),
            "kafka_bootstrap_servers": self.kafka_bootstrap_servers,
            "checkpoint_directory": str(self.directory / "checkpoints"),
            "checkpoint_key": sha256(f"checkpoints {self.keyring.token_key}".encode()).hexdigest(),
        }
        passed = {n: value for n, value in os.environ.items() if n.startswith(ENV_PREFIX)}
        own = {f"{ENV_PREFIX}{name.upper()}": value for name, value in values.items()}
        return DEFAULTS | passed | own

    def connection(self, keyring: Keyring, pids: Mapping[str, int]) -> Connection:
        return Connection(
            api_url=self.url("api"),
            console_url=f"{self.url('api')}/console",
            api_key=keyring.api_key or "",
            approver_api_key=keyring.approver_api_key or "",
            temporal_address=self.temporal_address,
            temporal_ui_url=self.url("temporal_ui"),
            temporal_metrics_url=f"{self.url('temporal_metrics')}/metrics",
            worker_metrics_url=f"{self.url('worker_metrics')}/metrics",
            courier_metrics_url=f"{self.url('courier_metrics')}/metrics",
            postgres_dsn=self.cluster.application_dsn,
            postgres_owner_dsn=self.cluster.owner_dsn,
            postgres_superuser_dsn=self.cluster.superuser_dsn,
            kafka_bootstrap_servers=self.kafka_bootstrap_servers,
            pids=pids,
            environment=self.environment,
        )


def _prepare(directory: Path, broker: ChildSpec | None) -> _Plan:
    (directory / LOGS).mkdir(exist_ok=True)
    chosen = ports.choose(directory / PORTS_FILE)
    keyring = Keyring.open(directory / SECRETS_FILE)
    cluster = postgres.cluster_for(directory, port=chosen["postgres"], keyring=keyring)
    cluster.initialise()
    return _Plan(
        directory=directory,
        ports=chosen,
        keyring=keyring,
        cluster=cluster,
        broker=broker or kafka.kafka_child(port=chosen["kafka"]),
    )


@asynccontextmanager
async def _supervise(
    plan: _Plan, progress: Progress, prepare: Preparation | None, *, yields: bool
) -> AsyncIterator[Connection]:
    keyring = plan.keyring
    file = plan.directory / CONNECTION_FILE
    # A killed supervisor could not remove this file, and its content is outdated.
    file.unlink(missing_ok=True)

    def publish() -> Connection:
        connection = plan.connection(keyring, supervisor.pids)
        connection.save(plan.directory)
        return connection

    def publish_again(name: str) -> None:
        progress(f"{name} had ended and runs again: {plan.directory / LOGS / name}.log may say why")
        if file.exists():
            publish()

    supervisor = Supervisor(logs=plan.directory / LOGS, on_restart=publish_again, yields=yields)
    lines = "".join(f"{name}={value}\n" for name, value in plan.environment.items())
    replace_private_text(plan.directory / ENVIRONMENT_FILE, lines)
    try:
        # Seeding takes a minute, in which another stack would find the ports free.
        with ports.hold(plan.ports[name] for name in _LATE_PORTS):
            progress("starting PostgreSQL, Temporal and Kafka")
            await supervisor.start(plan.cluster.child(), _temporal_child(plan), plan.broker)
            progress("migrating the schema")
            keyring = await _prepare_database(plan)
            if prepare is not None:
                await prepare(plan.connection(keyring, {}))
        progress("starting api, worker, courier and verifier")
        await supervisor.start(
            *referral_processes.children(plan.environment, api_url=plan.url("api"))
        )
        yield publish()
    finally:
        progress("stopping")
        await supervisor.stop()
        file.unlink(missing_ok=True)


def _temporal_child(plan: _Plan) -> ChildSpec:
    return temporal.temporal_child(database=plan.directory / "temporal.db", ports=plan.ports)


async def _prepare_database(plan: _Plan) -> Keyring:
    await plan.cluster.create_roles()
    await referral_processes.migrate(plan.environment, logs=plan.directory / LOGS)
    url = postgres.sqlalchemy_url(plan.cluster.application_dsn)
    await referral_processes.ensure_campaign(database_url=url)
    return await referral_processes.ensure_api_keys(
        plan.keyring,
        plan.directory / SECRETS_FILE,
        owner_url=postgres.sqlalchemy_url(plan.cluster.owner_dsn),
    )


def _reset(directory: Path) -> None:
    remove_private_directory(directory)
    for path in directory.iterdir():
        if path.name == LOCK_FILE:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
