"""Settings and ids that a command was given wrongly, in the words of its answer."""

import asyncio
import sys

import pytest

from tests.test_cli import UNREACHABLE, referrals


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("API_PORT", "http", "must be a whole number"),
        ("API_PORT", "99999", "must be at most 65535"),
        ("HASH_KEY", "short", "must have at least 16 characters"),
        ("WEBHOOK_ADDRESSES", "all", "must be 'any' or 'public'"),
        ("NETWORK_DATABASE", "/nowhere/networks.mmdb", "names a file that cannot be found"),
        ("SIGNAL_KEYS", "{payments", "must be JSON, as docs/settings.md shows"),
        ("KAFKA_PROPERTIES", "sasl", "must be JSON, as docs/settings.md shows"),
        ("IOS_APP_ID", "book", "does not have the form that docs/settings.md shows"),
    ],
)
async def test_a_setting_that_is_wrong_is_named_in_a_sentence(
    name: str, value: str, sentence: str
) -> None:
    right = {
        "REFERRALS_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "REFERRALS_HASH_KEY": "a key for tests, not a secret",
        "REFERRALS_TOKEN_KEY": "another key for tests",
        "REFERRALS_PUBLIC_URL": "https://refer.example",
    }
    wrong = {f"REFERRALS_{name}": value}
    ended = await referrals("api", url=UNREACHABLE, settings=right | wrong)

    assert (ended.returncode, ended.stderr) == (2, f"REFERRALS_{name}: {sentence}\n")


@pytest.mark.parametrize("command", [["keys", "revoke"], ["keys", "rotate"], ["rebuild"]])
async def test_what_is_no_id_is_refused_in_our_words(command: list[str]) -> None:
    ended = await referrals(*command, "nope", url=UNREACHABLE)

    assert ended.returncode == 2
    assert "must be an id such as" in ended.stderr


async def test_the_command_line_starts_without_what_only_a_process_needs() -> None:
    loaded = "import sys, cli; print({'fastapi', 'temporalio', 'db.engine'} & set(sys.modules))"
    python = await asyncio.create_subprocess_exec(
        sys.executable, "-c", loaded, stdout=asyncio.subprocess.PIPE
    )

    said, _ = await python.communicate()
    assert said == b"set()\n"
