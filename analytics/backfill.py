"""Backfill: every event that the outbox still has, into the warehouse."""

from analytics.rows import row_of
from analytics.warehouse import Loader, Warehouse
from db.engine import Database
from referrals.reports.published import published_events


async def backfill(database: Database, warehouse: Warehouse) -> int:
    """Load every published event and return how many rows those were; a repeat changes nothing."""
    with Loader(warehouse) as loader:
        async for page in published_events(database):
            loader.add([row for event in page if (row := row_of(event))])
    return loader.loaded
