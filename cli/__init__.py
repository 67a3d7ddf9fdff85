"""The command `referrals`: one subcommand per process and per task of an operator.

Each command imports what it runs: production has no embedded servers.
"""

from cli.program import app, main

__all__ = ["app", "main"]
