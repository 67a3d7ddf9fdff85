"""Logs of libraries: what they could not read is not quoted."""

import io
import json
import logging
import subprocess
import sys
from typing import Final

from pydantic import TypeAdapter

from runtime.logs import without_content

SENT = "Ludmila Quuxowska"
LINES: Final = 3000
TWO_THREADS: Final = f"""
import logging, sys, threading
import structlog
from runtime.logs import configure_logging

sys.setswitchinterval(1e-6)
configure_logging("INFO")

def ours():
    for number in range({LINES}):
        structlog.get_logger().info("ours", number=number)

def a_library_s():
    for number in range({LINES}):
        logging.getLogger("temporalio").error("theirs %d", number)

threads = [threading.Thread(target=each) for each in (ours, a_library_s)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def logged(name: str) -> str:
    """Return what a logger of this name writes of a payload that has not its type."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(without_content)
    logger = logging.getLogger(f"{name}.in_a_test")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        try:
            TypeAdapter(dict[str, str]).validate_python(SENT)
        except ValueError as fault:
            raise RuntimeError("Failed decoding arguments") from fault
    except RuntimeError:
        logger.exception("Failed deserializing signal input for %s, dropping the signal", "sign_up")
    return written.getvalue()


def test_a_signal_that_cannot_be_read_is_logged_without_its_content() -> None:
    assert logged("temporalio.worker._workflow_instance") == (
        "Failed deserializing signal input for sign_up, dropping the signal: RuntimeError\n"
    )


def test_exceptions_of_our_own_keep_their_text() -> None:
    assert SENT in logged("courier.main")


def test_lines_of_ours_and_of_a_library_never_run_together() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TWO_THREADS], capture_output=True, text=True, check=True
    )

    assert len([json.loads(line) for line in ran.stdout.splitlines()]) == 2 * LINES
