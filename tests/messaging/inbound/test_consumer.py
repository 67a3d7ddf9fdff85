"""The consumer: every record is stored once or kept as a dead letter, whatever happens."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from resource import RUSAGE_SELF, getrusage

from db.engine import Database
from domain.intake.facts import CLOCK_SKEW
from tests.api.bodies import deposit, unique
from tests.fixtures.database_activity import recorded_statements
from tests.messaging.inbound.poison import poison
from tests.messaging.inbound.reading import header, stored, waiting_in_the_inbox
from tests.messaging.stream import Sender, Stream, consuming


async def test_stores_970_of_1000_records_and_keeps_30_as_dead_letters(
    database: Database, any_stream: Stream
) -> None:
    sender = Sender(any_stream, {"message.max.bytes": "20000000"})
    refused = poison(large_bytes=any_stream.large_bytes)
    for number in range(1000):
        if number % 33 == 7 and number // 33 < len(refused):
            each = refused[number // 33]
            sender.send(each.value, key=each.key, headers={"trace": str(number)})
        else:
            sender.send(deposit())
    await sender.flush()

    async with consuming(database, any_stream):
        await any_stream.wait_until_caught_up()

    assert await stored(database, any_stream) == 970
    letters = any_stream.dead_letters()
    assert len(letters) == 30
    assert Counter(header(letter, "reason") for letter in letters) == Counter(
        each.reason for each in refused
    )
    originals = {str(record.place): record for record in any_stream.read(any_stream.topic())}
    for letter in letters:
        place = ":".join(header(letter, name) for name in ("topic", "partition", "offset"))
        original = originals[place]
        assert (letter.key, letter.value) == (original.key, original.value)
        assert letter.headers[:1] == original.headers


async def test_a_gzip_bomb_is_a_dead_letter_and_takes_no_more_memory_than_a_few_copies(
    database: Database, any_stream: Stream
) -> None:
    unpacked_bytes = 32_000_000
    bomber = Sender(any_stream, {"compression.type": "gzip", "message.max.bytes": "50000000"})
    bomber.send(b"0" * unpacked_bytes, key="bomber")
    bomber.send(deposit() | {"player_id": "bomber"}, key="bomber")
    await bomber.flush()
    before_kb = getrusage(RUSAGE_SELF).ru_maxrss

    async with consuming(database, any_stream):
        await any_stream.wait_until_caught_up()

    assert (getrusage(RUSAGE_SELF).ru_maxrss - before_kb) * 1024 < 8 * unpacked_bytes
    assert await stored(database, any_stream) == 1
    (letter,) = any_stream.dead_letters()
    assert header(letter, "reason") == "too_large"


async def test_reading_everything_again_has_no_effect(
    database: Database, any_stream: Stream
) -> None:
    sender = Sender(any_stream)
    for _ in range(200):
        sender.send(deposit())
    sender.send(b"{")
    await sender.flush()
    for group in (unique("group"), unique("group")):
        async with consuming(database, any_stream, group=group):
            await any_stream.wait_until_caught_up(group)
    assert await stored(database, any_stream) == 200
    assert await waiting_in_the_inbox(database, any_stream) == 200


async def test_stores_what_is_waiting_in_few_statements(
    database: Database, any_stream: Stream
) -> None:
    sender = Sender(any_stream)
    for _ in range(2000):
        sender.send(deposit())
    await sender.flush()
    with recorded_statements(database) as statements:
        async with consuming(database, any_stream):
            await any_stream.wait_until_caught_up()
    assert await stored(database, any_stream) == 2000
    # The first batches hold what was fetched by then; later ones are full.
    assert len(statements) <= 20


async def test_an_event_of_the_next_minute_is_waited_for_and_is_no_dead_letter(
    database: Database, any_stream: Stream
) -> None:
    sender = Sender(any_stream)
    ahead = datetime.now(UTC) + CLOCK_SKEW + timedelta(seconds=3)
    sender.send(deposit(occurred_at=ahead.isoformat()))
    sender.send(deposit())
    await sender.flush()

    async with consuming(database, any_stream):
        await any_stream.wait_until_caught_up()

    assert datetime.now(UTC) + CLOCK_SKEW >= ahead
    assert await stored(database, any_stream) == 2
    assert any_stream.dead_letters() == []


async def test_other_content_under_a_known_id_is_a_dead_letter(
    database: Database, any_stream: Stream
) -> None:
    sender, body = Sender(any_stream), deposit()
    for amount in (1000, 1000, 2000):
        sender.send(body | {"amount": {"minor": amount, "currency": "USD"}})
    await sender.flush()
    async with consuming(database, any_stream):
        await any_stream.wait_until_caught_up()
    assert [header(letter, "reason") for letter in any_stream.dead_letters()] == ["event_conflict"]
    assert await stored(database, any_stream) == 1
