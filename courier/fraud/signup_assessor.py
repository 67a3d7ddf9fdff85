"""Assesses pairs at the signup: the evidence is gathered before the transaction that stores it."""

from typing import Final

from db.engine import Database
from referrals.fraud.routing import signup_assessments

BATCH_SIZE: Final = 20
"""Pairs assessed at once, each at the cost of a scoring."""


class SignupAssessor:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def assess(self) -> bool:
        """Assess a batch of pairs that got their signup; return whether more may be waiting."""
        if not await self._database.finds(signup_assessments.IS_WAITING):
            return False
        async with self._database.snapshot() as session:
            waiting = await signup_assessments.waiting(session, limit=BATCH_SIZE)
            gathered = await signup_assessments.gather(session, waiting)
        async with self._database.transaction() as session:
            await signup_assessments.store(session, gathered)
        return len(gathered) >= BATCH_SIZE
