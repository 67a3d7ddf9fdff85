"""The commands `links backfill` and `clusters rebuild`: what facts from before say of players."""

from typing import Final

import uvloop

from db.engine import Database
from referrals.fraud import cluster_rebuild
from referrals.fraud.cluster_rebuild import Rebuilt
from runtime.settings import DatabaseSettings

REBUILD_TIMEOUT_S: Final = 600
"""Bound of a rebuild's statements, which read all links: far longer than a request's."""


def backfill(settings: DatabaseSettings, *, after: str) -> int:
    """Write the links of all routed facts, page by page, rebuild the clusters, and return 0."""
    return uvloop.run(_backfill(settings, after))


def rebuild(settings: DatabaseSettings) -> int:
    """Rebuild the clusters from the links, print what changed, and return 0."""
    return uvloop.run(_rebuild(settings))


async def _backfill(settings: DatabaseSettings, after: str) -> int:
    async with Database.open(
        settings.database_url, command_timeout_s=REBUILD_TIMEOUT_S
    ) as database:
        await write_all(database, after=after)
        print((await rebuild_all(database)).sentence())  # noqa: T201
    return 0


async def _rebuild(settings: DatabaseSettings) -> int:
    async with Database.open(
        settings.database_url, command_timeout_s=REBUILD_TIMEOUT_S
    ) as database:
        print((await rebuild_all(database)).sentence())  # noqa: T201
    return 0


async def write_all(database: Database, *, after: str = "") -> int:
    """Write the links of all players behind `after`, telling where it is, and count them."""
    total = 0
    while True:
        async with database.transaction() as session:
            players = await cluster_rebuild.players_after(session, after)
            if not players:
                return total
            total += await cluster_rebuild.write_links(session, players)
        after = players[-1]
        print(f"{total} links; go on with --after {after}", flush=True)  # noqa: T201


async def rebuild_all(database: Database) -> Rebuilt:
    """Rebuild the clusters in one transaction, with a time limit of its own."""
    async with database.transaction() as session:
        return await cluster_rebuild.rebuild_clusters(session, timeout_s=REBUILD_TIMEOUT_S)
