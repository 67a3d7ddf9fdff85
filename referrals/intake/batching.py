"""Facts that are reported at the same time: written together, each answered after the commit."""

from functools import partial

from db.batches import Batches
from db.engine import Database
from referrals.intake import facts
from referrals.intake.facts import Door, RecordOutcome, Report


class FactBatches(Batches[Report, RecordOutcome]):
    """Batches of facts, which one statement inserts in the order of their keys."""

    def __init__(self, database: Database, *, door: Door) -> None:
        super().__init__(database, partial(facts.record_facts, door=door))

    async def record(self, report: Report) -> RecordOutcome:
        """Return the outcome of a report once it is committed; see `submit`."""
        return await self.submit(report)
