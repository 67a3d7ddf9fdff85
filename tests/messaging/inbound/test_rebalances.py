"""Consumers that come and go in a burst: each event is stored once, none is left."""

import asyncio

import pytest

from db.engine import Database
from tests.api.bodies import deposit
from tests.messaging.inbound.reading import stored, waiting_in_the_inbox
from tests.messaging.stream import (
    ALL_PARTITIONS,
    Sender,
    Stream,
    consuming,
    wait_until_assigned,
    wait_until_shared,
)


class Burst:
    """Events that are sent until the burst is ended, a poison one among them now and then."""

    def __init__(self, stream: Stream) -> None:
        self._sender = Sender(stream)
        self._over = asyncio.Event()
        self.sent = 0
        self.poison = 0

    async def send(self) -> None:
        while not self._over.is_set():
            for _ in range(20):
                self._sender.send(deposit())
            self._sender.send(b"{")
            self.sent, self.poison = self.sent + 20, self.poison + 1
            await asyncio.sleep(0.02)  # the pace of the burst
        await self._sender.flush()

    def end(self) -> None:
        self._over.set()


@pytest.mark.timeout(300)
async def test_rebalances_in_a_burst_lose_nothing_and_double_nothing(
    database: Database, any_stream: Stream
) -> None:
    burst = Burst(any_stream)
    sending = asyncio.create_task(burst.send())
    async with consuming(database, any_stream) as first:
        await wait_until_assigned(first, ALL_PARTITIONS)
        async with consuming(database, any_stream) as second:
            await wait_until_shared(first, second)
            async with consuming(database, any_stream) as third:
                await wait_until_shared(first, second, third)
            await wait_until_shared(first, second)
        await wait_until_assigned(first, ALL_PARTITIONS)
        burst.end()
        await sending
        await any_stream.wait_until_caught_up()
    assert await stored(database, any_stream) == burst.sent
    assert await waiting_in_the_inbox(database, any_stream) == burst.sent
    assert len({letter.headers[-3:] for letter in any_stream.dead_letters()}) == burst.poison
