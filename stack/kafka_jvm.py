"""Apache Kafka in KRaft mode, and Kafka Connect with Debezium, as children on the JVM.

The jars come from Maven Central by deploy/kafka/pom.xml. Heaps are small: these are for tests and
measurements on one machine.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # one is not in its __all__
    AdminClient,
    NewTopic,
)

from stack.child import ChildProcess, ChildSpec, ReadinessProbe
from stack.probes import returns_ok

DEPLOY: Final = Path(__file__).resolve().parent.parent / "deploy"
POM: Final = DEPLOY / "kafka" / "pom.xml"
TARGET: Final = POM.parent / "target"
PARTITIONS: Final = 4
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_CLUSTER_ID: Final = "cmVmZXJyYWxzLXRlc3QtMQ"
_FROM_ENVIRONMENT: Final = "org.apache.kafka.common.config.provider.EnvVarConfigProvider"
_MAVEN_TIMEOUT_S: Final = 300
_PROBE_TIMEOUT_S: Final = 2
_QUICK_START: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class MissingKafkaError(Exception):
    """Java, Maven or the jars cannot be had here; the message says which."""


def jars() -> Path:
    """Return the folder of the jars, fetching them once for each content of the pom.

    Raises MissingKafkaError.
    """
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise MissingKafkaError(f"{program} is not installed")
    folder = TARGET / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        TARGET.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=TARGET))
        _fetch(draft)
        draft.rename(folder)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One node of a cluster on 127.0.0.1; the first is the controller, too."""

    directory: Path
    port: int
    controller_port: int
    node_id: int = 1
    replication: int = 1

    @property
    def name(self) -> str:
        return f"kafka-{self.node_id}"

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def format(self, libraries: Path) -> None:
        """Write the configuration, and the metadata with which an empty node begins."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configuration_file.write_text(_properties(self._configuration()))
        if not self._log_directory.exists():
            tool = _java(libraries, "kafka.tools.StorageTool", heap_mb=128)
            arguments = ("format", "-t", _CLUSTER_ID, "-c", str(self._configuration_file))
            subprocess.run([*tool, *arguments], check=True, capture_output=True)

    def child(self, libraries: Path) -> ChildSpec:
        main = _java(libraries, "kafka.Kafka", heap_mb=384)
        return ChildSpec(
            name=self.name,
            command=[*main, str(self._configuration_file)],
            readiness_probe=_lists_topics(self.bootstrap_servers),
            directory=self.directory,
        )

    @property
    def _configuration_file(self) -> Path:
        return self.directory / f"{self.name}.properties"

    @property
    def _log_directory(self) -> Path:
        return self.directory / self.name

    def _configuration(self) -> Mapping[str, object]:
        listeners = [f"PLAINTEXT://{self.bootstrap_servers}"]
        is_controller = self.node_id == 1
        if is_controller:
            listeners.append(f"CONTROLLER://127.0.0.1:{self.controller_port}")
        copies = self.replication
        return {
            "process.roles": "broker,controller" if is_controller else "broker",
            "node.id": self.node_id,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": ",".join(listeners),
            "advertised.listeners": listeners[0],
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self._log_directory,
            "auto.create.topics.enable": "false",
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "message.max.bytes": MAX_MESSAGE_BYTES,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectWorker:
    """One worker of Kafka Connect, in distributed mode as in production."""

    directory: Path
    port: int
    bootstrap_servers: str
    environment: Mapping[str, str]
    """Variables that connectors' configurations name as `${env:NAME}`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def child(self, libraries: Path) -> ChildSpec:
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "connect.properties"
        file.write_text(_properties(self._configuration()))
        main = _java(libraries, "org.apache.kafka.connect.cli.ConnectDistributed", heap_mb=384)
        return ChildSpec(
            name="connect",
            command=[*main, str(file)],
            readiness_probe=returns_ok(f"{self.url}/connectors"),
            environment=self.environment,
            directory=self.directory,
        )

    def _configuration(self) -> Mapping[str, object]:
        topics = {
            f"{topic}.storage.{key}": value
            for topic in ("config", "offset", "status")
            for key, value in (("topic", f"connect-{topic}s"), ("replication.factor", 1))
        }
        return {
            **topics,
            "bootstrap.servers": self.bootstrap_servers,
            "group.id": "connect",
            "listeners": self.url,
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
            "offset.flush.interval.ms": 1000,
            "config.providers": "env",
            "config.providers.env.class": _FROM_ENVIRONMENT,
            "scheduled.rebalance.max.delay.ms": 0,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        }


def create_topics(bootstrap_servers: str, topics: Iterable[str], *, replication: int = 1) -> None:
    """Create topics of PARTITIONS partitions each; raise KafkaException if one exists."""
    client = AdminClient({"bootstrap.servers": bootstrap_servers})
    wanted = [NewTopic(topic, PARTITIONS, replication) for topic in topics]
    for created in client.create_topics(wanted).values():
        created.result()


def _fetch(folder: Path) -> None:
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    try:
        subprocess.run(
            [*command, f"-DoutputDirectory={folder}"],
            check=True,
            capture_output=True,
            text=True,
            timeout=_MAVEN_TIMEOUT_S,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as fault:
        shutil.rmtree(folder)
        lines = str(fault.stdout or "").strip().splitlines()
        raise MissingKafkaError(f"the jars cannot be had: {lines[0] if lines else fault}") from None


def _java(libraries: Path, main_class: str, *, heap_mb: int) -> Sequence[str]:
    return [
        *("java", *_QUICK_START, f"-Xmx{heap_mb}m"),
        *(
            "-cp",
            f"{libraries}{os.sep}*",
            f"-Dlog4j2.configurationFile={DEPLOY}/kafka/log4j2.properties",
        ),
        main_class,
    ]


def _properties(values: Mapping[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _lists_topics(bootstrap_servers: str) -> ReadinessProbe:
    client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})

    async def probe(_: ChildProcess) -> bool:
        try:
            client.list_topics(timeout=_PROBE_TIMEOUT_S)
        except KafkaException:
            return False
        return True

    return probe
