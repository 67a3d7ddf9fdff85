"""Referrals at each kind of stage, corruptions planted among them, and the reports of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.engine import Database, Session
from domain.intake.facts import PlayerStatus, TakeBack
from referrals.intake import facts
from referrals.verification.runs import Mode
from referrals.verification.verify import VerificationReport, verify, verify_database
from tests import builders
from tests.referrals import reward_builders
from tests.referrals.reward_builders import CREDITED_AT
from tests.referrals.verification.corruption import Corruption


@dataclass(frozen=True, slots=True)
class StoredReferrals:
    held: UUID
    rewarded: UUID
    """Its referrer excluded himself later, and a chargeback is on its way to it."""
    reversed: UUID
    """Its referrer had spent the reward, and a chargeback won is on its way to it."""
    recovering: UUID
    """Its reward paid its referrer's debt."""
    invited: UUID
    depositing: UUID
    """At SIGNED_UP; its deposit is on its way to it."""


async def store_referrals(database: Database) -> StoredReferrals:
    async with database.transaction() as session:
        held = await reward_builders.a_held_referral(session)
        rewarded = await reward_builders.a_rewarded_referral(session)
        excluded = builders.status_change(
            rewarded.referrer_id, PlayerStatus.SELF_EXCLUDED, at=CREDITED_AT
        )
        await facts.record_fact(session, excluded, player_id=excluded.player_id, door="http")
        await reward_builders.takes_back(session, rewarded)
        reversed_ = await reward_builders.a_reversed_referral(session, spent=builders.usd())
        recovering = await reward_builders.a_rewarded_referral(
            session, referrer_id=reversed_.referrer_id
        )
        await reward_builders.takes_back(session, reversed_, TakeBack.CHARGEBACK_WON)
        invited = await builders.an_invitation(session)
        depositing, _ = await reward_builders.a_depositing_referral(session)
        rows = (held, rewarded, reversed_, recovering, invited, depositing)
        return StoredReferrals(*(row.id for row in rows))


async def report_with(
    corruption: Corruption,
    stored: StoredReferrals,
    superuser: Database,
    mode: Mode = Mode.WHOLE,
) -> tuple[VerificationReport, str]:
    """Break an invariant with all guards off, verify, and take the break back.

    Return the report, and the id of the row that breaks it.
    """
    async with Session(superuser.engine) as session:
        # The level that verification sets, which it could not do after a statement.
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in (*corruption.statements, corruption.row_query):
            query = text(statement)
            needed = {name: asdict(stored)[name] for name in query.compile().params}
            result = await session.execute(query, needed)
        named = str(result.scalars().first())
        report = await verify(session, mode=mode, as_of=CREDITED_AT)
        await session.rollback()
        return report, named


async def report_of(database: Database, *, as_of: datetime = CREDITED_AT) -> VerificationReport:
    return await verify_database(database, as_of=as_of)


def failures_of(report: VerificationReport) -> Mapping[str, Sequence[str]]:
    return {check.name: check.failures for check in report.checks if not check.ok}
