"""The supervisor, with small real programs for children."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest

from stack.child import ChildProcess, ChildSpec, StartError
from stack.probes import has_logged_ready
from stack.supervisor import Supervisor

READY: Final = """print('{"event": "ready"}', flush=True)"""
WAITING: Final = f"import time; {READY}; time.sleep(600)"
IGNORING_SIGTERM: Final = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITING}"
FAILING: Final = "raise SystemExit('no such ledger')"


def child(name: str, program: str = WAITING, *, niceness: int = 0) -> ChildSpec:
    return ChildSpec(
        name=name,
        command=[sys.executable, "-c", program],
        readiness_probe=has_logged_ready,
        niceness=niceness,
    )


@asynccontextmanager
async def supervised(
    logs: Path, on_restart: Callable[[str], object] = lambda _: None, *, yields: bool = True
) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(logs=logs, on_restart=on_restart, yields=yields)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def test_starts_a_dead_child_again_under_another_pid(tmp_path: Path) -> None:
    again: asyncio.Queue[str] = asyncio.Queue()
    async with supervised(tmp_path, again.put_nowait) as supervisor:
        await supervisor.start(child("worker"))
        first = supervisor.pids["worker"]

        os.kill(first, signal.SIGKILL)
        assert await asyncio.wait_for(again.get(), 90) == "worker"

        assert supervisor.pids["worker"] != first
        assert psutil.pid_exists(supervisor.pids["worker"])


async def test_keeps_trying_a_child_that_dies_before_it_is_ready(tmp_path: Path) -> None:
    again: asyncio.Queue[str] = asyncio.Queue()
    broken = tmp_path / "broken"
    program = f"import pathlib; assert not pathlib.Path({str(broken)!r}).exists(); {WAITING}"
    async with supervised(tmp_path, again.put_nowait) as supervisor:
        await supervisor.start(child("worker", program))
        broken.touch()
        os.kill(supervisor.pids["worker"], signal.SIGKILL)
        await until_logged(tmp_path / "worker.log", "AssertionError")

        broken.unlink()

        await asyncio.wait_for(again.get(), 90)


async def test_a_child_starts_at_full_priority_and_yields_from_when_it_is_ready(
    tmp_path: Path,
) -> None:
    again: asyncio.Queue[str] = asyncio.Queue()
    group = "open(path).read() if os.path.exists(path) else ''"
    started = f"path = '/proc/self/autogroup'; print('started at', os.nice(0), {group}, flush=True)"
    program = f"import os; {started}; {WAITING}"
    async with supervised(tmp_path, again.put_nowait) as supervisor:
        await supervisor.start(child("worker", program, niceness=7))
        first = supervisor.pids["worker"]
        niceness, grouped = psutil.Process(first).nice(), _autogroup(first)
        os.kill(first, signal.SIGKILL)
        await asyncio.wait_for(again.get(), 90)
        second = supervisor.pids["worker"]

        assert (niceness, psutil.Process(second).nice()) == (7, 7)
        assert [grouped, _autogroup(second)] in ([7, 7], [None, None])
    starts = [
        line for line in (tmp_path / "worker.log").read_text().splitlines() if "started" in line
    ]
    assert len(starts) == 2
    assert not any(line.startswith("started at 7") or line.endswith(" nice 7") for line in starts)


async def test_no_child_yields_where_the_stack_does_not(tmp_path: Path) -> None:
    async with supervised(tmp_path, yields=False) as supervisor:
        await supervisor.start(child("worker", niceness=7))

        pid = supervisor.pids["worker"]
        assert (psutil.Process(pid).nice(), _autogroup(pid)) in ((0, 0), (0, None))


def _autogroup(pid: int) -> int | None:
    """Return the niceness of the process's group, None where the kernel groups no sessions."""
    group = Path(f"/proc/{pid}/autogroup")
    return int(group.read_text().split()[-1]) if group.exists() else None


async def test_stops_every_child(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        await supervisor.start(child("postgres"), child("temporal"))
        await supervisor.start(child("api"))
        pids = supervisor.pids

    assert sorted(pids) == ["api", "postgres", "temporal"]
    assert not [name for name, pid in pids.items() if psutil.pid_exists(pid)]


async def test_says_why_a_child_does_not_start(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        with pytest.raises(StartError, match="courier ended while starting:\nno such ledger"):
            await supervisor.start(child("courier", FAILING))


async def test_stops_the_others_of_a_stage_in_which_one_does_not_start(tmp_path: Path) -> None:
    async with supervised(tmp_path) as supervisor:
        with pytest.raises(StartError, match="courier"):
            await supervisor.start(child("courier", FAILING), child("worker"))
        worker = supervisor.pids["worker"]

    assert not psutil.pid_exists(worker)


async def test_insists_when_a_child_ignores_the_request_to_stop(tmp_path: Path) -> None:
    process = ChildProcess(child("api", IGNORING_SIGTERM), logs=tmp_path)
    await process.wait_until_ready()

    await process.stop(within_s=0.2)

    assert process.exit_code() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to their parent")
async def test_leaves_nothing_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, pathlib
from stack.supervisor import Supervisor
from tests.stack.test_supervisor import child

async def main():
    supervisor = Supervisor(logs=pathlib.Path({str(tmp_path)!r}), on_restart=lambda _: None)
    await supervisor.start(child("api"))
    print(supervisor.pids["api"], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    outer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert outer.stdout is not None
    inner = psutil.Process(int(await outer.stdout.readline()))

    outer.kill()
    await outer.wait()

    assert await asyncio.to_thread(psutil.wait_procs, [inner], 30) == ([inner], [])


async def until_logged(log: Path, words: str) -> None:
    async with asyncio.timeout(90):
        while words not in log.read_text():  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.02)
