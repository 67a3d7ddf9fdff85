"""Facts that are reported at the same time: written together, each answered after the commit."""

from collections.abc import Sequence

from db.batches import Batches
from db.engine import Database, StatementExecutor
from referrals.intake import facts
from referrals.intake.facts import Door, RecordOutcome, Report


class FactBatches(Batches[Report, RecordOutcome]):
    """Batches of facts, which one statement inserts in the order of their keys."""

    def __init__(self, database: Database, *, door: Door) -> None:
        async def record(
            session: StatementExecutor, reports: Sequence[Report]
        ) -> Sequence[RecordOutcome]:
            return await facts.record_facts(session, reports, door=door)

        super().__init__(database, record)

    async def record(self, report: Report) -> RecordOutcome:
        """Return the outcome of a report once it is committed; see `ask`."""
        return await self.ask(report)
