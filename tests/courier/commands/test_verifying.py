"""Options of `referrals verify` that mean nothing together."""

import pytest
from typer.testing import CliRunner

from cli.program import app


@pytest.mark.parametrize(
    "options",
    [
        ("--chain", "--every", "5"),
        ("--chain", "--incremental"),
        ("--chain", "--whole"),
        ("--every", "5", "--incremental"),
        ("--every", "5", "--whole"),
    ],
)
def test_refuses_options_that_it_would_have_to_ignore(options: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(app, ["verify", *options], env={"REFERRALS_DATABASE_URL": "no"})

    assert ended.exit_code == 2
    assert "Invalid value" in ended.output
    assert options[0] in ended.output
