"""Requests that arrive together share a batch, and each is settled whatever becomes of it."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial

import pytest

from db.batches import MAX_BATCH, MAX_IN_FLIGHT, Batches
from db.engine import Database, StatementExecutor

PATIENCE_S = 60.0
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="none")


class Doubling:
    """Doubles numbers, once it may, and keeps the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_end = asyncio.Event()

    async def __call__(self, _session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.may_end.wait()
        return [2 * number for number in numbers]


def is_long(batches: Sequence[object], length: int) -> bool:
    return len(batches) >= length


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)


async def until_it_has(doubling: Doubling, batches: int) -> None:
    await until(partial(is_long, doubling.batches, batches))


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


async def test_a_patient_request_shares_the_batch_that_another_begins(database: Database) -> None:
    doubling = Doubling()
    batches = Batches(database, doubling)
    doubling.may_end.set()
    patient = asyncio.create_task(batches.submit(1, patience_s=PATIENCE_S))
    await asyncio.sleep(0)

    assert await batches.submit(2) == 4
    assert await patient == 2
    assert doubling.batches == [[1, 2]]


async def test_a_patient_request_begins_a_batch_when_nobody_else_does(database: Database) -> None:
    doubling = Doubling()
    doubling.may_end.set()

    async with asyncio.timeout(PATIENCE_S):
        assert await Batches(database, doubling).submit(1, patience_s=0.001) == 2


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


async def test_a_batch_without_an_answer_stops_no_other(database: Database) -> None:
    stuck: list[Sequence[int]] = []
    may_end = asyncio.Event()

    async def hang_at_zero(_session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            stuck.append(numbers)
            await may_end.wait()
        return list(numbers)

    batches = Batches(database, hang_at_zero)
    hanging = []
    for count in range(1, MAX_IN_FLIGHT + 1):
        hanging.append(asyncio.create_task(batches.submit(0)))
        await until(partial(is_long, stuck, count))

    async with asyncio.timeout(PATIENCE_S):
        assert [await batches.submit(number) for number in range(1, 6)] == [1, 2, 3, 4, 5]
    assert not any(task.done() for task in hanging)
    may_end.set()
    assert await asyncio.gather(*hanging) == [0] * len(hanging)


async def test_a_batch_that_takes_too_long_is_given_up(database: Database) -> None:
    async def hang(_session: StatementExecutor, _numbers: Sequence[int]) -> list[int]:
        await asyncio.Event().wait()
        raise AssertionError

    batches = Batches(database, hang, deadline_s=0.01)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(TimeoutError):
            await batches.submit(1)


async def test_a_request_that_waited_too_long_fails_and_is_not_run(database: Database) -> None:
    doubling = Doubling()
    batches = Batches(database, doubling, max_wait_s=-1)
    with pytest.raises(TimeoutError):
        await batches.submit(1)

    assert doubling.batches == []


@pytest.mark.parametrize("drops_abandoned", [True, False])
async def test_a_request_whose_caller_has_gone_is_left_out_where_that_is_wanted(
    database: Database, *, drops_abandoned: bool
) -> None:
    doubling = Doubling()
    doubling.may_end.set()
    batches = Batches(database, doubling, drops_abandoned=drops_abandoned)
    gone, staying = (asyncio.create_task(batches.submit(number)) for number in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()

    assert await staying == 4
    ran = [number for batch in doubling.batches for number in batch]
    assert ran == ([2] if drops_abandoned else [1, 2])


async def test_a_batch_runs_in_nobody_s_context(database: Database) -> None:
    seen: list[str] = []

    async def look(_session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        seen.append(REQUEST_ID.get())
        return list(numbers)

    batches = Batches(database, look)
    REQUEST_ID.set("the first caller's")
    await batches.submit(1)

    assert seen == ["none"]


async def test_a_request_that_cannot_be_written_fails_alone(database: Database) -> None:
    async def refuse_zero(_session: StatementExecutor, numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            raise UnicodeError
        return list(numbers)

    batches = Batches(database, refuse_zero)
    results = await asyncio.gather(
        *(batches.submit(number) for number in range(5)), return_exceptions=True
    )

    assert isinstance(results[0], UnicodeError)
    assert results[1:] == [1, 2, 3, 4]
