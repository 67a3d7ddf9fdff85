"""Reader of what was handed on to players, and a sportsbook that sets what it depends on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import func, select, text

from courier.notifier import Notifier
from db import outbox
from db.engine import Database
from db.tables import NotificationAttempt, NotificationRow, OutboxRow
from domain.lifecycle.referral import Stage
from domain.money import Money
from referrals.notifications.preferences import change_preferences
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import TERMS, deposit, usd

BOTH: Final = replace(TERMS, referee_reward=usd(500))
"""Terms that reward both sides."""


async def credited(database: Database, *, amount: Money | None = None) -> ReferralActs:
    terms = replace(BOTH, referrer_reward=amount) if amount else BOTH
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.REWARDED
    return acts


async def notify(database: Database, notifier: Notifier | None = None) -> Notifier:
    """Run the notifier until nothing is waiting."""
    notifier = notifier or Notifier(database)
    while await notifier.notify():
        pass
    return notifier


async def messages_to(database: Database, player_id: str) -> Sequence[dict[str, Any]]:
    """Return what was handed on to a player, in the order of the outbox."""
    query = select(OutboxRow.payload).where(
        OutboxRow.aggregatetype == outbox.NOTIFICATIONS, OutboxRow.aggregateid == player_id
    )
    async with database.reading() as session:
        return (await session.scalars(query.order_by(OutboxRow.seq))).all()


async def kinds_to(database: Database, player_id: str) -> list[str]:
    return [message["kind"] for message in await messages_to(database, player_id)]


async def attempts_to(
    database: Database, player_id: str, kind: str | None = None
) -> list[tuple[str, str | None]]:
    """Return outcome and reason of each attempt to notify a player, in their order."""
    query = (
        select(NotificationAttempt.outcome, NotificationAttempt.reason)
        .join(NotificationRow, NotificationRow.id == NotificationAttempt.notification_id)
        .where(NotificationRow.player_id == player_id)
        .order_by(NotificationAttempt.id)
    )
    if kind is not None:
        query = query.where(NotificationRow.kind == kind)
    async with database.reading() as session:
        return [(row.outcome.value, row.reason) for row in await session.execute(query)]


async def prefer(database: Database, player_id: str, **changes: Any) -> None:  # noqa: ANN401
    async with database.transaction() as session:
        await change_preferences(session, player_id, changes)  # type: ignore[arg-type]


async def let_time_pass(database: Database, player_id: str) -> None:
    """Make due what waits for the end of quiet hours."""
    query = text("""
        update notifications set due_at = clock_timestamp()
         where player_id = :player_id and status = 'pending'
    """)
    async with database.transaction() as session:
        await session.execute(query, {"player_id": player_id})


async def count_of(database: Database, player_id: str) -> int:
    query = select(func.count()).select_from(NotificationRow)
    async with database.reading() as session:
        return await session.scalar(query.where(NotificationRow.player_id == player_id)) or 0
