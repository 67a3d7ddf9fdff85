"""Ports, kept between runs unless another process has taken them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ports.find_free()))
        listener.listen()
        yield listener.getsockname()[1]


def test_prefers_the_preferred_port(tmp_path: Path) -> None:
    port = ports.find_free()

    assert ports.choose(tmp_path / "ports.json", {"api": port}) == {"api": port}


def test_takes_another_port_when_the_preferred_one_is_taken(
    tmp_path: Path, taken_port: int
) -> None:
    chosen = ports.choose(tmp_path / "ports.json", {"api": taken_port})

    assert chosen["api"] != taken_port
    assert ports.is_free(chosen["api"])


def test_keeps_last_runs_port_although_the_preferred_one_is_free_again(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    earlier = ports.choose(memory, {"api": ports.find_free()})

    assert ports.choose(memory, {"api": ports.find_free()}) == earlier


def test_a_port_that_is_held_is_chosen_by_nobody_else(tmp_path: Path) -> None:
    port = ports.find_free()
    with ports.hold([port]):
        assert ports.choose(tmp_path / "other.json", {"api": port})["api"] != port

    assert ports.choose(tmp_path / "another.json", {"api": port})["api"] == port


def test_gives_no_port_twice(tmp_path: Path) -> None:
    port = ports.find_free()

    chosen = ports.choose(tmp_path / "ports.json", {"api": port, "worker": port})

    assert chosen["api"] == port
    assert chosen["worker"] != port


def test_starts_afresh_when_the_memory_is_damaged(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    memory.write_text("{")
    port = ports.find_free()

    assert ports.choose(memory, {"api": port}) == {"api": port}
