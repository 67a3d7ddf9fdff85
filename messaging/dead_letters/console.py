"""Output and exit codes of `referrals dlq`."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final

import typer
from confluent_kafka import KafkaException

from db.engine import Database
from db.faults import DATABASE_FAULTS
from messaging.dead_letters.reading import Letter, read_letters
from messaging.dead_letters.replaying import Replayer, batched, find_replayed
from messaging.inbound.decoding import Decoder
from messaging.kafka import KafkaCluster
from messaging.records import Refusal
from messaging.topics import INBOUND
from referrals.access.audit import Actor
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import Settings

SHOWN_BYTES: Final = 65_536
"""Bounds what `show` prints of a value."""
REPLAYED_BEFORE: Final = "was replayed before"

_Command = Callable[[Database, KafkaCluster], Coroutine[Any, Any, int]]


class Console:
    """The commands on dead letters, each with an exit code: 0, 1, or 2 when it could not run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def list(self, topics: Collection[str], *, with_replayed: bool) -> int:
        async def run(database: Database, cluster: KafkaCluster) -> int:
            for batch in batched(read_letters(cluster, topics)):
                replayed = await find_replayed(database, batch)
                for letter in batch:
                    if with_replayed or letter.subject not in replayed:
                        typer.echo(_line(letter, is_replayed=letter.subject in replayed))
            return 0

        return self._run(run)

    def show(self, letter_id: str) -> int:
        async def run(database: Database, cluster: KafkaCluster) -> int:
            found = [each for each in read_letters(cluster, INBOUND) if each.id == letter_id]
            replayed = await find_replayed(database, found)
            for letter in found:
                _print(letter, is_replayed=letter.subject in replayed)
            return 0 if found else _report_unknown({letter_id})

        return self._run(run)

    def replay_named(self, ids: Collection[str], actor: Actor, *, dry_run: bool) -> int:
        async def run(database: Database, cluster: KafkaCluster) -> int:
            wanted = [each for each in read_letters(cluster, INBOUND) if each.id in ids]
            replayed = await find_replayed(database, wanted)
            for letter in wanted:
                if letter.subject in replayed:
                    typer.echo(f"{letter.id}  {REPLAYED_BEFORE}")
            left = [letter for letter in wanted if letter.subject not in replayed]
            refused = await self._replay(database, left, actor, dry_run=dry_run)
            unknown = set(ids) - {letter.id for letter in wanted}
            return _report_unknown(unknown) if unknown else min(refused, 1)

        return self._run(run)

    def replay_open(self, topics: Collection[str], actor: Actor, *, dry_run: bool) -> int:
        async def run(database: Database, cluster: KafkaCluster) -> int:
            refused = 0
            for batch in batched(read_letters(cluster, topics)):
                replayed = await find_replayed(database, batch)
                left = [letter for letter in batch if letter.subject not in replayed]
                refused += await self._replay(database, left, actor, dry_run=dry_run)
            return min(refused, 1)

        return self._run(run)

    async def _replay(
        self, database: Database, letters: Sequence[Letter], actor: Actor, *, dry_run: bool
    ) -> int:
        """Replay letters, or rehearse that, and return how many are refused again."""
        replayer = Replayer(database, Decoder.of(self._settings), actor)
        refused = 0
        for letter in letters:
            outcome = await (replayer.rehearse if dry_run else replayer.replay)(letter)
            refused += isinstance(outcome, Refusal)
            if outcome is None:
                typer.echo(f"{letter.id}  {REPLAYED_BEFORE}")
                continue
            text = f"refused: {outcome}" if isinstance(outcome, Refusal) else outcome.value
            typer.echo(f"{letter.id}  {'would be ' if dry_run else ''}{text}")
        return refused

    def _run(self, command: _Command) -> int:
        """Run a command, or print which of Kafka and Postgres did not answer."""
        cluster = KafkaCluster.of(self._settings)
        if cluster is None:
            return _report_fault("REFERRALS_KAFKA_BOOTSTRAP_SERVERS: Field required")

        async def run() -> int:
            async with Database.open(self._settings.database_url) as database:
                return await command(database, cluster)

        try:
            return asyncio.run(run())
        except KafkaException as fault:
            return _report_fault(f"Kafka did not answer ({fault.args[0].name()})")
        except DATABASE_FAULTS as fault:
            return _report_fault(f"the database did not answer ({type(fault).__name__})")


def _line(letter: Letter, *, is_replayed: bool) -> str:
    at = letter.written_at.isoformat("T", "seconds") if letter.written_at else "-"
    return (
        f"{letter.id}  {'replayed' if is_replayed else 'open'}  {at}  {_printable(letter.reason)}"
    )


def _print(letter: Letter, *, is_replayed: bool) -> None:
    value = letter.record.value
    typer.echo(_line(letter, is_replayed=is_replayed))
    for name, content in letter.record.headers:
        typer.echo(f"header {_printable(name)}: {_text(content)}")
    typer.echo(f"key: {_text(letter.record.key)}")
    typer.echo(f"value: {_text(value)}")
    if value is not None and len(value) > SHOWN_BYTES:
        typer.echo(f"({len(value) - SHOWN_BYTES} more bytes)")


def _text(content: bytes | None) -> str:
    if content is None:
        return "null"
    return _printable(content[:SHOWN_BYTES].decode(errors="backslashreplace"))


def _printable(text: str) -> str:
    """Escape what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _report_unknown(ids: Collection[str]) -> int:
    typer.echo(f"unknown letter {', '.join(sorted(ids))}; see `referrals dlq list`", err=True)
    return 1


def _report_fault(sentence: str) -> int:
    typer.echo(sentence, err=True)
    return COULD_NOT_RUN
