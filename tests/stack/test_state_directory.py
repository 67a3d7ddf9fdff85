"""The directory of a stack: one supervisor's lock, and secrets that only the owner can read."""

import os
import re
from pathlib import Path

import pytest

from stack.state_directory import (
    SECRETS_FILE,
    AlreadyRunningError,
    Keyring,
    hold_lock,
    rotate_hash_key,
)


def test_refuses_a_second_supervisor_and_names_the_first(tmp_path: Path) -> None:
    refusal = f"{re.escape(str(tmp_path))} is already running under process {os.getpid()}"
    with (
        hold_lock(tmp_path / "lock"),
        pytest.raises(AlreadyRunningError, match=refusal),
        hold_lock(tmp_path / "lock"),
    ):
        pass


def test_lets_the_next_supervisor_in_after_the_first_has_left(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "lock"):
        pass
    with hold_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_keeps_secrets_between_runs_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"

    made = Keyring.open(path).save_api_keys(path, api_key="one", approver_api_key="two")

    assert Keyring.open(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_rotated_hash_key_is_kept_beside_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / SECRETS_FILE
    made = Keyring.open(path)

    assert rotate_hash_key(tmp_path) == 2

    rotated = Keyring.open(path)
    assert rotated.hash_key != made.hash_key
    assert (rotated.hash_key_version, rotated.earlier_hash_keys) == (2, {"1": made.hash_key})
    assert rotated.token_key == made.token_key


def test_makes_different_secrets_for_different_folders(tmp_path: Path) -> None:
    assert Keyring.open(tmp_path / "a.json") != Keyring.open(tmp_path / "b.json")
