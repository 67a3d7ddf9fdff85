"""Garbage collection in a process that has loaded all that it needs."""

import gc
from typing import Final

YOUNG_OBJECTS: Final = 10_000
"""New objects before the youngest are looked at: an act or a request makes thousands."""


def settle_garbage() -> None:
    """Collect once, and never look again at what is there now.

    A collection of everything that a process has loaded lasts 0.1 to 0.2 s on the machine of
    docs/benchmarks.md; meanwhile it answers nobody.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
