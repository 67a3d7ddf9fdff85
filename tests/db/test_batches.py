"""Requests that arrive together share a batch, and each is settled whatever becomes of it."""

import asyncio
from collections.abc import Sequence

import pytest

from db.batches import MAX_BATCH, MAX_IN_FLIGHT, Batches
from db.engine import Database, StatementExecutor

PATIENCE_S = 60.0


class Doubling:
    """Doubles numbers, once it may, and keeps the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = asyncio.Event()

    async def __call__(self, _session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.may_end.wait()
        return [2 * number for number in numbers]


async def until_it_has(doubling: Doubling, batches: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(doubling.batches) < batches:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def test_what_comes_while_all_batches_are_under_way_shares_the_next(
    database: Database,
) -> None:
    doubling = Doubling()
    batches = Batches(database, doubling)
    waiting = []
    for number in range(MAX_IN_FLIGHT):
        waiting.append(asyncio.create_task(batches.submit(number)))
        await until_it_has(doubling, number + 1)
    waiting += [asyncio.create_task(batches.submit(number)) for number in range(2, 2 + MAX_BATCH)]
    await asyncio.sleep(0)
    doubling.may_end.set()

    assert await asyncio.gather(*waiting) == [2 * number for number in range(2 + MAX_BATCH)]
    assert doubling.batches[:MAX_IN_FLIGHT] == [[0], [1]]
    assert [len(batch) for batch in doubling.batches[MAX_IN_FLIGHT:]] == [MAX_BATCH]


async def test_who_asks_again_as_all_batches_end_is_answered(database: Database) -> None:
    doubling = Doubling()
    batches = Batches(database, doubling)

    async def ask_twice() -> list[int]:
        return [await batches.submit(number) for number in (1, 2)]

    again = asyncio.create_task(ask_twice())
    await until_it_has(doubling, 1)
    once = asyncio.create_task(batches.submit(3))
    await until_it_has(doubling, 2)
    doubling.may_end.set()

    async with asyncio.timeout(PATIENCE_S):
        assert await again == [2, 4]
    assert await once == 6


async def test_a_batch_that_answers_too_few_fails_its_callers_and_stops_nobody(
    database: Database,
) -> None:
    async def forget(_session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if number]

    batches = Batches(database, forget)
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2 * MAX_IN_FLIGHT):
            with pytest.raises(ValueError, match="zip"):
                await batches.submit(0)
        assert await batches.submit(7) == 7


async def test_a_fault_is_raised_to_all_of_its_batch_and_to_nobody_else(
    database: Database,
) -> None:
    async def refuse_zero(_session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            raise ConnectionError
        return list(numbers)

    batches = Batches(database, refuse_zero)
    results = await asyncio.gather(
        *(batches.submit(number) for number in range(5)), return_exceptions=True
    )

    assert [type(result) for result in results] == [ConnectionError] * 5
    assert await batches.submit(5) == 5
