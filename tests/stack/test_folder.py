"""What a stack keeps in its folder: one supervisor's lock, and secrets for the owner's eyes."""

import os
import re
from pathlib import Path

import pytest

from stack.keyring import Keyring
from stack.lock import AlreadyRunningError, held


def test_refuses_a_second_supervisor_and_names_the_first(tmp_path: Path) -> None:
    refusal = f"{re.escape(str(tmp_path))} is already running under process {os.getpid()}"
    with (
        held(tmp_path / "lock"),
        pytest.raises(AlreadyRunningError, match=refusal),
        held(tmp_path / "lock"),
    ):
        pass


def test_lets_the_next_supervisor_in_after_the_first_has_left(tmp_path: Path) -> None:
    with held(tmp_path / "lock"):
        pass
    with held(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_keeps_secrets_between_runs_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"

    made = Keyring.open(path).with_api_keys(path, api_key="one", approver_api_key="two")

    assert Keyring.open(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_makes_different_secrets_for_different_folders(tmp_path: Path) -> None:
    assert Keyring.open(tmp_path / "a.json") != Keyring.open(tmp_path / "b.json")
