"""ClickHouse as the warehouse: embedded through chdb, or on a server through clickhouse-connect."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

# Every copy of an event has the same content, so that copies have the same key and become one row.
# A share has version 0 and the referral NOBODY: columns without null are read faster. `cost` is
# what the event adds to the cost, by currency. Times are those of the events, whenever they came.
SCHEMA: Final = """
    create table if not exists events (
        event_id UUID,
        type LowCardinality(String),
        at DateTime64(6, 'UTC'),
        campaign LowCardinality(String),
        version UInt32,
        referral_id UUID,
        referrer_id String,
        cost Array(Tuple(String, Int64)),
        variant LowCardinality(String)
    ) engine = ReplacingMergeTree
    partition by toYYYYMM(at)
    order by (type, at, event_id)
"""
LATER: Final = (
    "alter table events add column if not exists variant LowCardinality(String)",
    """alter table events modify setting
        min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1""",
)
"""Parts that a table of an earlier release lacks.

A column is empty in the rows that it has. By the settings, a month that got nothing for an hour is
merged into one part without copies, so that reports read it without comparing rows.
"""
MERGE: Final = "optimize table events final settings optimize_skip_merged_partitions = 1"
"""Merges every month into one part at once, after many loads."""
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
SETTINGS: Final = " settings do_not_merge_across_partitions_select_final = 1"
"""Copies of an event lie in one partition, so that no other one needs to be compared."""
INSERT_SETTINGS: Final = {"max_partitions_per_insert_block": "0"}
"""A block may have events of any number of months: a backfill, or facts reported late."""
COLUMNS: Final = (
    "event_id", "type", "at", "campaign", "version", "referral_id", "referrer_id", "cost",
    "variant",
)  # fmt: skip
FORMAT: Final = "JSONCompactEachRow"
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
Parameters = Mapping[str, str | int | None]


class Warehouse(Protocol):
    """A ClickHouse that runs statements and inserts rows that are lines of JSON."""

    def run(self, statement: str) -> None: ...

    def select(self, statement: str, parameters: Parameters) -> list[dict[str, Any]]: ...

    def insert(self, lines: str, *, table: str = "events") -> None:
        """Insert rows, each a line of `line_of`."""

    def close(self) -> None: ...


class EmbeddedWarehouse:
    """ClickHouse in this process, in a folder that no other process may open meanwhile."""

    def __init__(self, folder: Path) -> None:
        from chdb.session import Session  # noqa: PLC0415 - an extra

        self._session = Session(str(folder))
        for statement in (SCHEMA, *LATER):
            self.run(statement)

    def run(self, statement: str) -> None:
        self._session.query(statement)

    def select(self, statement: str, parameters: Parameters) -> list[dict[str, Any]]:
        answer = str(
            self._session.query(statement + SETTINGS, "JSONEachRow", params=dict(parameters))
        )
        return [json.loads(line) for line in answer.splitlines() if line]

    def insert(self, lines: str, *, table: str = "events") -> None:
        settings = ", ".join(f"{name} = {value}" for name, value in INSERT_SETTINGS.items())
        columns = ", ".join(COLUMNS)
        self._session.query(
            f"insert into {table} ({columns}) settings {settings} format {FORMAT}\n{lines}"
        )

    def close(self) -> None:
        self._session.close()


class ServerWarehouse:
    """ClickHouse on a server, at an address such as `http://user:password@host:8123/database`."""

    def __init__(self, url: str) -> None:
        import clickhouse_connect  # noqa: PLC0415 - an extra

        self._client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
        for statement in (SCHEMA, *LATER):
            self.run(statement)

    def run(self, statement: str) -> None:
        self._client.command(statement)

    def select(self, statement: str, parameters: Parameters) -> list[dict[str, Any]]:
        answer = self._client.raw_query(
            statement + SETTINGS, parameters=dict(parameters), fmt="JSONEachRow"
        )
        return [json.loads(line) for line in answer.decode().splitlines() if line]

    def insert(self, lines: str, *, table: str = "events") -> None:
        self._client.raw_insert(
            table, COLUMNS, insert_block=lines, fmt=FORMAT, settings=INSERT_SETTINGS
        )

    def close(self) -> None:
        self._client.close()


def open_warehouse(address: str) -> EmbeddedWarehouse | ServerWarehouse:
    """Open the warehouse at an http address, or in a folder; its table is made if it is missing."""
    if is_server(address):
        return ServerWarehouse(address)
    return EmbeddedWarehouse(Path(address))


def is_server(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def faults() -> tuple[type[Exception], ...]:
    """Return the faults of a server that is away, or refuses a statement."""
    from clickhouse_connect.driver.exceptions import ClickHouseError  # noqa: PLC0415 - an extra

    return (ClickHouseError, OSError, TimeoutError)


def line_of(row: Mapping[str, Any]) -> str:
    """Return a row as a line: a JSON array of its values, in the order of COLUMNS."""
    return _encode([row[column] for column in COLUMNS])


class Loader:
    """Collects events and inserts them in blocks; what was loaded before changes nothing."""

    def __init__(self, warehouse: Warehouse, *, block: int = 20_000) -> None:
        self._warehouse = warehouse
        self._block = block
        self._lines: list[str] = []
        self.loaded = 0

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._lines += map(line_of, rows)
        if len(self._lines) >= self._block:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            self._warehouse.insert("\n".join(self._lines))
            self.loaded += len(self._lines)
            self._lines = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        if fault is None:
            self.flush()
