"""Connections that break in every way: afterwards all lives converge, and verify is green."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from tests.journeys.faults.conftest import FaultySystem
from tests.journeys.faults.lives import CONVERGED_S, Lives
from tests.proxies.breaking import BreakingProxy

AT_ONCE: Final = 4
FAULT_S: Final = 3.0
LATE_S: Final = 0.2


async def cut(proxy: BreakingProxy) -> None:
    for _ in range(5):
        proxy.cut()
        await asyncio.sleep(FAULT_S / 5)


async def refuse(proxy: BreakingProxy) -> None:
    proxy.refuses = True
    proxy.cut()
    await asyncio.sleep(FAULT_S)
    proxy.refuses = False


async def delay(proxy: BreakingProxy) -> None:
    proxy.delay_s = LATE_S
    await asyncio.sleep(FAULT_S)
    proxy.delay_s = 0.0


async def half_close(proxy: BreakingProxy) -> None:
    proxy.half_close()


async def freeze(proxy: BreakingProxy) -> None:
    """Freeze what is connected now for ever, as when a node vanishes from the network."""
    proxy.freeze()


async def freeze_all(proxy: BreakingProxy) -> None:
    """Freeze new connections, too, for a while."""
    proxy.freezes = True
    proxy.freeze()
    await asyncio.sleep(FAULT_S)
    proxy.freezes = False


FAULTS: Final = (cut, refuse, delay, half_close, freeze, freeze_all)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", ["postgres", "temporal"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_everything_converges_after(
    system: FaultySystem, fault: Callable[[BreakingProxy], Awaitable[None]], server: str
) -> None:
    lives = Lives(system.sportsbook)
    await lives.begin(AT_ONCE)
    await lives.converge()

    reporting = asyncio.create_task(lives.begin(AT_ONCE))
    await fault(getattr(system, server))
    healed_s = time.monotonic()
    await reporting
    await lives.begin(AT_ONCE)
    await lives.converge()
    took_s = time.monotonic() - healed_s
    await lives.assert_one_effect_each(system.database)
    print(f"{fault.__name__} of {server}: converged {took_s:.1f} s after it")  # noqa: T201 - shown by -s
    assert took_s < CONVERGED_S
