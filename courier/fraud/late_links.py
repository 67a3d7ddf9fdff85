"""Follow-up of late links: one transaction for each merge of clusters."""

from db.engine import Database
from referrals.fraud.late_links import IS_WAITING, follow_next


class LateLinks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self) -> bool:
        """Follow one merge and return whether there was one."""
        if not await self._database.finds(IS_WAITING):
            return False
        async with self._database.transaction() as session:
            return await follow_next(session)
