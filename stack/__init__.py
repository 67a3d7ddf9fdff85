"""The embedded stack: Postgres and Temporal from wheels, api, worker and courier as children."""

from stack.embedded import run_stack
from stack.state_directory import Connection

__all__ = ["Connection", "run_stack"]
