"""The command `referrals bench` where it cannot measure."""

import os
import subprocess
import sys
from pathlib import Path

from stack.state_directory import LOCK_FILE, hold_lock
from tests import ROOT


def test_a_second_bench_says_in_a_sentence_that_one_is_running(tmp_path: Path) -> None:
    directory = tmp_path / ".stack" / "bench"
    directory.mkdir(parents=True)
    with hold_lock(directory / LOCK_FILE):
        ended = subprocess.run(
            [sys.executable, "-m", "cli", "bench", "--only", "events"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 2
    assert "is already running under process" in ended.stderr
    assert "Traceback" not in ended.stderr
