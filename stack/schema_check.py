"""A check that the migrations produce the schema of db/tables/: python -m stack.schema_check."""

import asyncio
import sys

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from db.migrate import APPLICATION_ROLE, MIGRATIONS
from runtime.exit import exit_process
from stack.postgres import sqlalchemy_url, temporary_cluster


async def main() -> int:
    async with temporary_cluster() as cluster:
        try:
            await asyncio.to_thread(_check, sqlalchemy_url(cluster.owner_dsn))
        except CommandError as difference:
            print(difference, file=sys.stderr)  # noqa: T201
            return 1
    return 0


def _check(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(url=url, application_role=APPLICATION_ROLE)
    command.upgrade(config, "head")
    command.check(config)


if __name__ == "__main__":
    exit_process(asyncio.run(main()))
