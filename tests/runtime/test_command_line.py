"""Settings and ids that a command was given wrongly, in the words of its answer."""

import asyncio
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from messaging.topics import INBOUND
from tests import ROOT
from tests.test_cli import UNREACHABLE, referrals

RIGHT: Final = {
    "REFERRALS_TEMPORAL_ADDRESS": "127.0.0.1:1",
    "REFERRALS_HASH_KEY": "a key for tests, not a secret",
    "REFERRALS_TOKEN_KEY": "another key for tests",
    "REFERRALS_PUBLIC_URL": "https://refer.example",
}


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
        ("LOG_LEVEL", "loud", "Must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("KAFKA_PROPERTIES", '{"acks": "0"}', "acks: set by this service, leave it out"),
        (
            "KAFKA_PROPERTIES",
            '{"sasl.password": "hush, hush", "sasl": "hush, hush"}',
            'librdkafka refuses it: No such configuration property: "sasl"',
        ),
        (
            "KAFKA_TOPIC_SOURCES",
            '{"deposits": "ledger"}',
            f"deposits: not a topic; those are {', '.join(INBOUND)}",
        ),
        (
            "NETWORK_DATABASE",
            str(ROOT / "README.md"),
            "Must name a file in MaxMind's format that can be read",
        ),
        ("TEMPORAL_UI_URL", "http://[temporal", "Must be a URL such as https://service.example"),
        (
            "TEMPORAL_API_KEY",
            "clé",
            "Must be of printable ASCII characters, without blanks at its ends",
        ),
        ("IOS_APP_ID", "book", "does not have the form that docs/settings.md shows"),
    ],
)
async def test_a_setting_that_is_wrong_is_named_in_a_sentence(
    name: str, value: str, sentence: str
) -> None:
    wrong = {f"REFERRALS_{name}": value}
    ended = await referrals("api", url=UNREACHABLE, settings=RIGHT | wrong)

    assert (ended.returncode, ended.stderr) == (2, f"REFERRALS_{name}: {sentence}\n")


@pytest.mark.parametrize(
    "half", [{"REFERRALS_API_URL": "http://127.0.0.1:1"}, {"REFERRALS_API_KEY": "rk_half"}]
)
async def test_half_of_an_address_is_refused_in_place_of_asking_the_embedded_stack(
    half: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "offer.yaml"
    file.write_text("slug: spring")
    stack = tmp_path / ".stack"
    stack.mkdir()
    (stack / "connection.json").write_text("{}")
    command = ["campaigns", "apply", str(file), "--dir", str(stack)]
    ended = await referrals(*command, url=UNREACHABLE, settings=half)

    assert ended.returncode == 2
    assert ended.stderr == "set both REFERRALS_API_URL and REFERRALS_API_KEY\n"


@pytest.mark.parametrize("command", [["keys", "revoke"], ["keys", "rotate"], ["rebuild"]])
async def test_what_is_no_id_is_refused_in_our_words(command: list[str]) -> None:
    ended = await referrals(*command, "nope", url=UNREACHABLE)

    assert ended.returncode == 2
    assert "must be an id such as" in ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["export", "ann@example.com"],
        ["erase", "ann@example.com"],
        ["tax-release", "ann@example.com", "--reason", "asked"],
        ["links", "backfill", "--after", "p" * 65],
    ],
    ids=" ".join,
)
async def test_a_players_id_that_no_door_takes_is_refused(command: list[str]) -> None:
    ended = await referrals(*command, url=UNREACHABLE, settings=RIGHT)

    assert ended.returncode == 2
    assert "must be 1 to 64 of the characters" in ended.stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["warehouse", "report", "funnel", "--zone", "Nowhere"], "--zone is an IANA time zone"),
        (
            ["warehouse", "report", "cost", "--warehouse", "ftp://x"],
            "--warehouse or CLICKHOUSE_URL",
        ),
        (["api", "--warehouse", "clickhouse://x"], "--warehouse or CLICKHOUSE_URL"),
        (
            ["warehouse", "report", "cost", "--warehouse", "http://127.0.0.1:1"],
            "the warehouse at --warehouse or CLICKHOUSE_URL cannot be used",
        ),
        (["retention", "--days", "999999999999"], "--days"),
        (["export", "p\udcff"], "the arguments must be UTF-8"),
        (["keys", "revoke", "--actor", "\udcff", str(UUID(int=1))], "the arguments must be UTF-8"),
    ],
    ids=lambda given: given[-1] if isinstance(given, list) else "",
)
async def test_a_wrong_option_is_refused_in_a_sentence(
    command: list[str], sentence: str, tmp_path: Path
) -> None:
    ended = await referrals(*command, url=UNREACHABLE, settings=RIGHT, directory=tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


async def test_the_command_line_starts_without_what_only_a_process_needs() -> None:
    loaded = "import sys, cli; print({'fastapi', 'temporalio', 'db.engine'} & set(sys.modules))"
    python = await asyncio.create_subprocess_exec(
        sys.executable, "-c", loaded, stdout=asyncio.subprocess.PIPE
    )

    said, _ = await python.communicate()
    assert said == b"set()\n"
