"""Which port each child listens on: the one it had, the preferred one, or another free one."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFERRED: Final = {
    "api": 8000,
    "worker_metrics": 9101,
    "postgres": 5433,
    "temporal": 7233,
    "temporal_ui": 8233,
    "temporal_http": 7243,
    "temporal_metrics": 9233,
}

# Below the range from which kernels draw outgoing ports: a child that is started again
# must find its port free, not lent to somebody's connection meanwhile.
_OTHERS: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 200


def choose(memory: Path, preferred: Mapping[str, int] = PREFERRED) -> dict[str, int]:
    """One distinct free port per name, remembered in the file `memory` for the next run."""
    remembered = _read(memory)
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        wanted = [remembered.get(name, port), port]
        chosen[name] = _first_free(wanted, taken=set(chosen.values()))
    memory.write_text(json.dumps(chosen, indent=2))
    return chosen


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without it a port would look taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def another(taken: frozenset[int] | set[int] = frozenset()) -> int:
    """A free port that nobody prefers; RuntimeError when none is found."""
    for port in random.sample(_OTHERS, _ATTEMPTS):
        if port not in taken and is_free(port):
            return port
    raise RuntimeError(f"no free port on 127.0.0.1 in {_ATTEMPTS} attempts")


def _first_free(wanted: list[int], *, taken: set[int]) -> int:
    for port in wanted:
        if port not in taken and is_free(port):
            return port
    return another(taken)


def _read(memory: Path) -> dict[str, int]:
    try:
        remembered: dict[str, int] = json.loads(memory.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return remembered
