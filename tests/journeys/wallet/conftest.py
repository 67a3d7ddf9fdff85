"""A whole stack with a wallet: the sandbox's account service."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.sportsbook.accounts.running import RunningAccounts, run_accounts
from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from stack import Connection, run_stack
from stack.clean import discard
from stack.postgres import PostgresCluster
from tests.journeys.stack_processes import use_free_ports


@pytest.fixture(scope="package")
async def accounts(postgres: PostgresCluster) -> AsyncIterator[RunningAccounts]:
    async with run_accounts(postgres.superuser_dsn, name="accounts_of_journeys") as running:
        yield running


@pytest.fixture(scope="package")
def environment(accounts: RunningAccounts) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFERRALS_WALLET_URL", accounts.url)
        patch.setenv("REFERRALS_WALLET_TOKEN", accounts.token)
        yield


@pytest.fixture(scope="package")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return use_free_ports(tmp_path_factory.mktemp("wallet"))


@pytest.fixture(scope="package")
async def stack(
    directory: Path,
    environment: None,  # noqa: ARG001 - set before the children start
) -> AsyncIterator[Connection]:
    async with run_stack(directory, yields=False) as connection:
        yield connection
    discard(directory)


@pytest.fixture(scope="package")
async def sportsbook(stack: Connection) -> AsyncIterator[SportsbookClient]:
    async with connect_sportsbook(
        stack.api_url, api_key=stack.api_key, approver_key=stack.approver_api_key
    ) as sportsbook:
        yield sportsbook
