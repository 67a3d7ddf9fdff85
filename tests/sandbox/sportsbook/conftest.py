"""The sandbox's services on databases of their own."""

from collections.abc import AsyncIterator

import pytest

from sandbox.sportsbook.services import payments, signup
from sandbox.sportsbook.services.connections import Pool, open_pool
from sandbox.sportsbook.services.payments import PaymentsService
from sandbox.sportsbook.services.provisioning import provision
from sandbox.sportsbook.services.signup import SignupService
from stack.postgres import PostgresCluster


@pytest.fixture
async def payments_dsn(postgres: PostgresCluster) -> str:
    return await provision(postgres.superuser_dsn, payments.DATABASE, tables=payments.TABLES)


@pytest.fixture
async def payments_pool(payments_dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(payments_dsn) as pool:
        yield pool


@pytest.fixture
def payments_service(payments_pool: Pool) -> PaymentsService:
    return PaymentsService(payments_pool)


@pytest.fixture
async def signup_pool(postgres: PostgresCluster) -> AsyncIterator[Pool]:
    dsn = await provision(postgres.superuser_dsn, signup.DATABASE, tables=signup.TABLES)
    async with open_pool(dsn) as pool:
        yield pool


@pytest.fixture
def signup_service(signup_pool: Pool) -> SignupService:
    return SignupService(signup_pool)
