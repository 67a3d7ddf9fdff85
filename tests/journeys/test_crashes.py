"""Processes that are killed in the middle of a burst, and a stack stopped in the middle of work."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import pytest

from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import Event, chargeback, deposit
from stack import run_stack
from stack.clean import discard
from tests.journeys.stack_processes import kill_child, use_free_ports, wait_for_restart

SENDERS: Final = 4
EVENTS_BETWEEN: Final = 8
"""Number of events accepted between two crashes."""
CONVERGED_S: Final = 90.0
ALL: Final = ("worker", "courier", "api", "temporal", "postgres")
CRASHES: Final = (*((name,) for name in ALL), ALL)


@dataclass(slots=True)
class Burst:
    """A burst of lives, each event sent twice, every second deposit charged back, until stopped."""

    sportsbook: SportsbookClient
    sent: int = 0
    is_over: bool = False
    lives: list[tuple[Pair, str]] = field(default_factory=list)

    async def send_lives(self) -> None:
        while not self.is_over:
            is_lost = len(self.lives) % 2 == 1
            pair = await create_invited_pair(self.sportsbook)
            self.lives.append((pair, "REVERSED" if is_lost else "REWARDED"))
            paid = deposit(pair.referee_id)
            await self.send(pair.signup())
            await self.send(paid)
            if is_lost:
                await self.sportsbook.wait_for_stage(
                    pair.referral_id, "REWARDED", within_s=CONVERGED_S
                )
                await self.send(chargeback(paid))

    async def send(self, event: Event) -> None:
        await asyncio.gather(self.sportsbook.send(event), self.sportsbook.send(event))
        self.sent += 1

    async def wait_for_more_events(self) -> None:
        async def ask() -> int:
            return self.sent

        goal = self.sent + EVENTS_BETWEEN
        await wait_until(
            ask, lambda sent: sent >= goal, what=f"{goal} events sent", within_s=CONVERGED_S
        )


@pytest.mark.timeout(300)
async def test_loses_nothing_and_pays_nothing_twice(
    sportsbook: SportsbookClient, directory: Path
) -> None:
    burst = Burst(sportsbook)
    providers = [asyncio.create_task(burst.send_lives()) for _ in range(SENDERS)]

    for names in CRASHES:
        await burst.wait_for_more_events()
        pids = {name: kill_child(directory, name) for name in names}
        for name, pid in pids.items():
            await wait_for_restart(directory, name, pid)
    await burst.wait_for_more_events()
    burst.is_over = True
    await asyncio.gather(*providers)

    for pair, stage in burst.lives:
        await sportsbook.wait_for_stage(pair.referral_id, stage, within_s=CONVERGED_S)
    assert (await sportsbook.wait_until_delivered(within_s=CONVERGED_S)).failures == {}
    for pair, stage in burst.lives:
        balance = await sportsbook.balance(pair.referrer_id)
        assert balance.minor("available") == (1000 if stage == "REWARDED" else 0)


@pytest.mark.timeout(300)
async def test_leaves_no_process_behind(tmp_path: Path) -> None:
    async with run_stack(use_free_ports(tmp_path), yields=False) as connection:
        async with connect_sportsbook(
            connection.api_url,
            api_key=connection.api_key,
            approver_key=connection.approver_api_key,
        ) as sportsbook:
            pairs = [await create_invited_pair(sportsbook) for _ in range(5)]
            await asyncio.gather(*(sportsbook.send(pair.signup()) for pair in pairs))
            await asyncio.gather(*(sportsbook.send(deposit(pair.referee_id)) for pair in pairs))
        children = [psutil.Process(pid) for pid in connection.pids.values()]
        started = [
            *children,
            *(grown for child in children for grown in child.children(recursive=True)),
        ]
    discard(tmp_path)

    assert [left for left in started if left.is_running()] == []
