"""Port selection for the children: last run's port, the preferred one, or another free one."""

import json
import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

PREFERRED: Final = {
    "api": 8000,
    "worker_metrics": 9101,
    "courier_metrics": 9102,
    "postgres": 5433,
    "temporal": 7233,
    "temporal_ui": 8233,
    "temporal_http": 7243,
    "temporal_metrics": 9233,
    "kafka": 9092,
}

# Below the range from which kernels draw ephemeral ports: a restarted child must find its port
# free, not taken by an outgoing connection.
_OTHERS: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 200


def choose(memory: Path, preferred: Mapping[str, int] = PREFERRED) -> dict[str, int]:
    """Return a distinct free port per name, and save them in the file `memory` for the next run."""
    remembered = _read(memory)
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        candidates = [remembered.get(name, port), port]
        chosen[name] = _first_free(candidates, taken=set(chosen.values()))
    memory.write_text(json.dumps(chosen, indent=2))
    return chosen


@contextmanager
def hold(chosen: Iterable[int]) -> Iterator[None]:
    """Keep ports from everybody else, until the processes that they are for start."""
    with ExitStack() as stack:
        for port in chosen:
            # Not to be shared, as SO_REUSEADDR would allow; one that rests from a last connection
            # cannot be held.
            holder = stack.enter_context(socket.socket())
            with suppress(OSError):
                holder.bind(("127.0.0.1", port))
        yield


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Otherwise a port would look taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def find_free(taken: frozenset[int] | set[int] = frozenset()) -> int:
    """Return a random free port; RuntimeError when none is found."""
    for port in random.sample(_OTHERS, _ATTEMPTS):
        if port not in taken and is_free(port):
            return port
    raise RuntimeError(f"no free port on 127.0.0.1 in {_ATTEMPTS} attempts")


def _first_free(candidates: list[int], *, taken: set[int]) -> int:
    for port in candidates:
        if port not in taken and is_free(port):
            return port
    return find_free(taken)


def _read(memory: Path) -> dict[str, int]:
    try:
        remembered: dict[str, int] = json.loads(memory.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return remembered
