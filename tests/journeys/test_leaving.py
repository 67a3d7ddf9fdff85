"""A stack that stops leaves nothing running, even in the middle of its work."""

import asyncio
from pathlib import Path

import psutil
import pytest

from sandbox.sportsbook.book import connected
from sandbox.sportsbook.events import deposit
from sandbox.sportsbook.pairs import invited
from stack import run_stack
from stack.clean import discard
from tests.journeys.stack_processes import use_free_ports


@pytest.mark.timeout(180)
async def test_leaves_no_process_behind(tmp_path: Path) -> None:
    async with run_stack(use_free_ports(tmp_path)) as connection:
        async with connected(
            connection.api_url,
            api_key=connection.api_key,
            approver_key=connection.approver_api_key,
        ) as book:
            pairs = [await invited(book) for _ in range(5)]
            await asyncio.gather(*(book.send(pair.signup()) for pair in pairs))
            await asyncio.gather(*(book.send(deposit(pair.referee_id)) for pair in pairs))
        children = [psutil.Process(pid) for pid in connection.pids.values()]
        started = [
            *children,
            *(grown for child in children for grown in child.children(recursive=True)),
        ]
    discard(tmp_path)

    assert [left for left in started if left.is_running()] == []
