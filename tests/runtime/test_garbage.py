"""Garbage collection: what a process has loaded is not looked at again."""

import subprocess
import sys
from typing import Final

from tests import ROOT

SETTLED: Final = """
import gc
from runtime.garbage import settle_garbage

kept = [[] for _ in range(1000)]
settle_garbage()
passed = []
gc.callbacks.append(lambda phase, info: passed.append(info["generation"]))
later = [[] for _ in range(9000)]
print(gc.get_freeze_count() > len(kept), passed)
"""


def test_what_is_loaded_is_frozen_and_thousands_of_new_objects_interrupt_nothing() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SETTLED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[0] == "True []"
