"""Replay of dead letters: through the door again, once, with an entry in the audit."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from db import locks
from db.engine import Database, Session
from db.faults import DATABASE_FAULTS, is_refused_value
from messaging.dead_letters.reading import Letter, LetterHead
from messaging.inbound.acceptance import Acceptance, accept_one, refused_by_database
from messaging.inbound.decoding import Decoder
from messaging.records import Refusal
from referrals.access import audit, audit_views
from referrals.access.audit import Actor

AnyLetter = TypeVar("AnyLetter", Letter, LetterHead)
REPLAYED: Final = "dead_letter.replay"
"""Action of the audit after which a letter is not open any more."""
REFUSED_AGAIN: Final = "dead_letter.replay_refused"
BATCH_LETTERS: Final = 100
"""Letters held in memory at once."""


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays letters, each in one transaction with its entry in the audit."""

    database: Database
    decoder: Decoder
    actor: Actor

    async def replay(self, letter: Letter) -> Acceptance | None:
        """Store the fact, or say why it is refused again; DATABASE_FAULTS pass by themselves.

        Returns None, and does nothing, where somebody else has replayed the letter meanwhile.
        """
        try:
            async with self.database.transaction() as session:
                await locks.lock_key(session, letter.subject)
                if await audit_views.acted_on(session, [letter.subject], action=REPLAYED):
                    return None
                outcome = await accept_one(session, self.decoder, letter.record)
                await self._write_audit(session, letter, outcome)
        except DATABASE_FAULTS as fault:
            if not is_refused_value(fault):
                raise
            outcome = refused_by_database(str(letter.record.place), fault)
            async with self.database.transaction() as session:
                await self._write_audit(session, letter, outcome)
        return outcome

    async def rehearse(self, letter: Letter) -> Acceptance:
        """Return what a replay would, and change nothing."""
        try:
            async with self.database.transaction() as session:
                outcome = await accept_one(session, self.decoder, letter.record)
                await session.rollback()
        except DATABASE_FAULTS as fault:
            if not is_refused_value(fault):
                raise
            return refused_by_database(str(letter.record.place), fault)
        return outcome

    async def _write_audit(self, session: Session, letter: Letter, outcome: Acceptance) -> None:
        action = REFUSED_AGAIN if isinstance(outcome, Refusal) else REPLAYED
        details = {"reason": letter.reason, "outcome": str(outcome)}
        await audit.write(
            session, self.actor, action=action, subject=letter.subject, details=details
        )


async def find_replayed(
    database: Database, letters: Collection[Letter | LetterHead]
) -> frozenset[str]:
    """Return the subjects of those letters that were replayed."""
    async with database.reading() as session:
        return await audit_views.acted_on(
            session, [letter.subject for letter in letters], action=REPLAYED
        )


async def find_open(
    database: Database, letters: Collection[LetterHead], *, limit: int
) -> Sequence[LetterHead]:
    """Return the first `limit` letters that nobody has replayed."""
    found: list[LetterHead] = []
    for batch in batched(letters):
        replayed = await find_replayed(database, batch)
        found += [letter for letter in batch if letter.subject not in replayed]
        if len(found) >= limit:
            break
    return found[:limit]


def batched(letters: Iterable[AnyLetter]) -> Iterator[list[AnyLetter]]:
    remaining = iter(letters)
    while batch := list(islice(remaining, BATCH_LETTERS)):
        yield batch
