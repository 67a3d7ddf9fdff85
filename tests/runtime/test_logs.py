"""Logs of libraries: what they could not read is not quoted."""

import io
import logging

from pydantic import TypeAdapter

from runtime.logs import without_content

SENT = "Ludmila Quuxowska"


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
