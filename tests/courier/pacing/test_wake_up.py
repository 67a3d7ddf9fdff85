"""The wait of a loop: cancelled in whichever turn after its event, it ends."""

import asyncio

import pytest

from courier.work_loop import WakeUp


@pytest.mark.parametrize("turns", range(5))
async def test_a_wait_that_is_cancelled_as_its_event_comes_is_not_taken_up_again(
    turns: int,
) -> None:
    wake_up = WakeUp()

    async def wait_for_ever() -> None:
        while True:
            await wake_up.wait(timeout_s=60)
            wake_up.clear()

    waiting = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    wake_up.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting}, timeout=1)

    assert waiting.done()
