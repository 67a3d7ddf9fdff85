"""What every measurement is given."""

from dataclasses import dataclass

from temporalio.client import Client

from sandbox.benchmarks.caller import Caller
from sandbox.benchmarks.floors import Floors
from sandbox.benchmarks.watch import Watch
from stack.state_directory import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    connection: Connection
    floors: Floors
    caller: Caller
    floor_caller: Caller
    temporal: Client
    watch: Watch
