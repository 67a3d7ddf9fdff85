"""One embedded stack for all journeys, with a sportsbook and an engineer as its users."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from stack import Connection, run_stack
from stack.clean import discard
from tests.journeys.engineer import Engineer
from tests.journeys.stack_processes import use_free_ports
from workflows.client import connect


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return use_free_ports(tmp_path_factory.mktemp("journeys"))


@pytest.fixture(scope="session")
async def stack(directory: Path) -> AsyncIterator[Connection]:
    # Beside the other tests, which do not yield either, a yielding worker would stand almost still.
    async with run_stack(directory, yields=False) as connection:
        yield connection
    discard(directory)


@pytest.fixture(scope="session")
async def sportsbook(stack: Connection) -> AsyncIterator[SportsbookClient]:
    async with connect_sportsbook(
        stack.api_url, api_key=stack.api_key, approver_key=stack.approver_api_key
    ) as sportsbook:
        yield sportsbook


@pytest.fixture(scope="session")
async def temporal(stack: Connection) -> Client:
    return await connect(stack.temporal_address, namespace="default")


@pytest.fixture(scope="session")
def engineer(temporal: Client, sportsbook: SportsbookClient) -> Engineer:
    return Engineer(temporal, sportsbook)
