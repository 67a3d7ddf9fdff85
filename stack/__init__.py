"""The whole system on one machine, from wheels: Postgres, Temporal and our own processes."""

from stack.connection import Connection
from stack.embedded import running

__all__ = ["Connection", "running"]
