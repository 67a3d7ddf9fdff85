"""A Kafka broker for one machine: librdkafka's mock cluster behind a port that is kept.

It keeps records in memory only, so they are gone when it ends; its state is that of its
publishers' outboxes. The mock cluster listens on a port of the kernel's choice; this program
listens on the port it is given, hands on what it receives, and makes the broker advertise it.
"""

import argparse
import asyncio
import ctypes
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import cimpl

from runtime.exit import exit_process, stop_event

HOST: Final = "127.0.0.1"
PARTITIONS: Final = 4
"""Partitions of each topic."""
_PRODUCER: Final = 0
"""RD_KAFKA_PRODUCER, the kind of client that carries the mock cluster."""
_BROKER_ID: Final = 1
_CHUNK_BYTES: Final = 65536


class MockCluster:
    """Librdkafka's mock cluster of one broker, which lives as long as this process."""

    def __init__(self) -> None:
        # The symbols are librdkafka's own, found through the extension that is linked with it.
        self._library = ctypes.CDLL(cimpl.__file__)
        self._declare()
        reason = ctypes.create_string_buffer(512)
        client = self._library.rd_kafka_new(_PRODUCER, None, reason, len(reason))
        if not client:
            raise RuntimeError(f"no mock cluster: {reason.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        # The default makes the first member of a group wait for three seconds.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)

    @property
    def port(self) -> int:
        bootstraps: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return int(bootstraps.decode().rpartition(":")[2])

    def advertise(self, port: int) -> None:
        """Tell clients to connect to this port."""
        _check(
            self._library.rd_kafka_mock_broker_set_host_port(
                self._cluster, _BROKER_ID, HOST.encode(), port
            )
        )

    def create_topic(self, name: str) -> None:
        _check(
            self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), PARTITIONS, 1)
        )

    def _declare(self) -> None:
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
        library = self._library
        library.rd_kafka_new.restype = pointer
        library.rd_kafka_new.argtypes = [number, pointer, text, ctypes.c_size_t]
        library.rd_kafka_mock_cluster_new.restype = pointer
        library.rd_kafka_mock_cluster_new.argtypes = [pointer, number]
        library.rd_kafka_mock_cluster_bootstraps.restype = text
        library.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
        library.rd_kafka_mock_group_initial_rebalance_delay_ms.restype = None
        library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [pointer, ctypes.c_int32]
        library.rd_kafka_mock_broker_set_host_port.argtypes = [
            pointer, ctypes.c_int32, text, number,
        ]  # fmt: skip
        library.rd_kafka_mock_topic_create.argtypes = [pointer, text, number, number]


async def serve(port: int, topics: Sequence[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopping = stop_event()
    cluster = MockCluster()
    cluster.advertise(port)
    for topic in topics:
        cluster.create_topic(topic)

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _hand_on(reader, writer, to_port=cluster.port)

    server = await asyncio.start_server(hand_on, HOST, port)
    print(json.dumps({"event": "ready"}), flush=True)  # noqa: T201 - the supervisor reads it
    await stopping.wait()
    server.close()


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_port: int
) -> None:
    from_broker, to_broker = await asyncio.open_connection(HOST, to_port)
    await asyncio.gather(_copy(reader, to_broker), _copy(from_broker, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


def _check(error: int) -> None:
    if error:
        raise RuntimeError(f"librdkafka's error {error}")


def main() -> None:
    """Run `python -m stack.kafka_broker --port PORT TOPIC…`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("topics", nargs="+")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.topics))
    exit_process(0)


if __name__ == "__main__":
    main()
