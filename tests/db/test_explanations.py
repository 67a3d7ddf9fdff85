"""Faults in the words of the person who ran a command."""

import socket
from pathlib import Path

import pytest

from db.explanations import explain


def test_a_port_that_is_taken_is_not_a_database_that_is_away() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(OSError, match="Address already in use") as fault:
        socket.create_server(taken.getsockname())
    sentence = explain(fault.value)
    assert sentence is not None
    assert "cannot listen" in sentence
    assert "REFERRALS_WORKER_METRICS_*" in sentence


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as fault:
        (tmp_path / "offers.yaml").read_text()
    sentence = explain(fault.value)
    assert sentence == f"could not run: {tmp_path}/offers.yaml: No such file or directory"


def test_a_server_that_nobody_listens_for_is_away() -> None:
    with pytest.raises(OSError, match="refused") as fault:
        socket.create_connection(("127.0.0.1", 1))
    assert "the database did not answer" in (explain(fault.value) or "")


def test_a_fault_of_ours_has_no_sentence() -> None:
    assert explain(KeyError("DE")) is None
