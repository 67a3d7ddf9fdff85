"""The signup and payments services, and the relays of their outboxes, running in this process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.sportsbook.polling import WAIT_TIMEOUT_S, wait_until
from sandbox.sportsbook.services import payments, signup
from sandbox.sportsbook.services.connections import Pool, open_pool
from sandbox.sportsbook.services.payments import PaymentsService
from sandbox.sportsbook.services.provisioning import provision
from sandbox.sportsbook.services.relay import OutboxRelay, count_unpublished
from sandbox.sportsbook.services.signup import SignupService


@dataclass(frozen=True, slots=True)
class Services:
    signup: SignupService
    payments: PaymentsService

    @property
    def pools(self) -> tuple[Pool, Pool]:
        return self.signup.pool, self.payments.pool

    async def wait_until_published(self, *, within_s: float = WAIT_TIMEOUT_S) -> None:
        """Wait until the broker has acknowledged every event of both outboxes."""

        async def count() -> int:
            return sum([await count_unpublished(pool) for pool in self.pools])

        await wait_until(
            count, lambda unpublished: not unpublished, what="empty outboxes", within_s=within_s
        )


@asynccontextmanager
async def run_services(superuser_dsn: str, bootstrap_servers: str) -> AsyncIterator[Services]:
    """Open both services, and relay their outboxes to Kafka until the context ends."""
    dsns = await create_databases(superuser_dsn)
    async with open_services(dsns) as services, run_relays(dsns, bootstrap_servers):
        yield services


@asynccontextmanager
async def open_services(dsns: Sequence[str]) -> AsyncIterator[Services]:
    """Open both services without relaying their outboxes."""
    signup_dsn, payments_dsn = dsns
    async with open_pool(signup_dsn) as signup_pool, open_pool(payments_dsn) as payments_pool:
        yield Services(SignupService(signup_pool), PaymentsService(payments_pool))


@asynccontextmanager
async def run_relays(dsns: Sequence[str], bootstrap_servers: str) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(OutboxRelay(dsn, bootstrap_servers).run()) for dsn in dsns]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def create_databases(superuser_dsn: str) -> list[str]:
    """Return the DSNs of signup and payments, whose databases the first call creates."""
    return [
        await provision(superuser_dsn, name, tables=tables)
        for name, tables in (
            (signup.DATABASE, signup.TABLES),
            (payments.DATABASE, payments.TABLES),
        )
    ]
