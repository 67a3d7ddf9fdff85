"""A Postgres that refuses facts for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text

from db.engine import Database
from sandbox.sportsbook.polling import wait_until

REFUSE = """
    create sequence refusals;
    create function refuse_facts() returns trigger language plpgsql security definer as $$
    begin
        if {condition} then
            perform nextval('refusals');
            raise exception 'not now' using errcode = '{sqlstate}';
        end if;
        return new;
    end $$;
    create trigger refuse_facts before insert on facts
        for each row execute function refuse_facts();
"""


@dataclass(frozen=True, slots=True)
class RefusingFacts:
    """A trigger that refuses facts; a sequence counts them, whatever is rolled back."""

    superuser: Database

    async def wait_for_refusals(self, count: int) -> None:
        """Wait until so many more were refused."""
        goal = await self.refusals() + count
        await wait_until(
            self.refusals, lambda seen: seen >= goal, what=f"{goal} refused", within_s=60
        )

    async def change_to(self, *, sqlstate: str) -> None:
        """Refuse with another fault from now on."""
        async with self.superuser.transaction() as session:
            await session.execute(
                text(f"""
                    create or replace function refuse_facts() returns trigger language plpgsql
                    security definer as $$
                    begin
                        perform nextval('refusals');
                        raise exception 'not now' using errcode = '{sqlstate}';
                    end $$
                """)
            )

    async def refusals(self) -> int:
        query = text("select case when is_called then last_value else 0 end from refusals")
        async with self.superuser.reading() as session:
            return int((await session.execute(query)).scalar_one())


@asynccontextmanager
async def refusing_facts(
    superuser: Database, *, condition: str = "true", sqlstate: str = "40001"
) -> AsyncIterator[RefusingFacts]:
    """Refuse facts during a block, as for a fault of the server unless `sqlstate` says more."""
    statements = REFUSE.format(condition=condition, sqlstate=sqlstate)
    async with superuser.transaction() as session:
        connection = await session.connection()
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute(statements)  # type: ignore[union-attr] # asyncpg's
    try:
        yield RefusingFacts(superuser)
    finally:
        async with superuser.transaction() as session:
            await session.execute(text("drop trigger refuse_facts on facts"))
