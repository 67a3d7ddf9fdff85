"""Steps of tests of quiet players."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from db import locks
from db.engine import Database
from db.tables import IdentityLink, InboxRow
from domain.intake.facts import Deposit, Signup, StatusChange, Withdrawal
from referrals.fraud import clusters
from referrals.fraud.routing.quiet_players import route_quiet
from tests.builders import deposit, unique
from tests.courier.steps import (
    record_facts,
)

BOUND_S = 60.0
OfPlayer = Deposit | Signup | StatusChange | Withdrawal


async def waiting(database: Database, *player_ids: str) -> int:
    """Return how many facts of players are in the inbox."""
    query = select(func.count()).where(InboxRow.player_id.in_(player_ids))
    async with database.reading() as session:
        return (await session.execute(query)).scalar_one()


async def make_known(database: Database, *player_ids: str) -> None:
    """Give players their rows, as an earlier fact would."""
    async with database.transaction() as session:
        await locks.lock_players(session, *player_ids)


async def quiet_ones(database: Database, *reported: OfPlayer) -> frozenset[str]:
    """Record facts, and route the quiet ones among their players."""
    for fact in reported:
        await record_facts(database, fact, player_id=fact.player_id)
    async with database.transaction() as session:
        routed = await route_quiet(session, [*{fact.player_id for fact in reported}])
    return frozenset(routed)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a player."""

    kind: str
    value: str
    is_strong: bool
    first_seen_at: datetime
    last_seen_at: datetime


def paid_from_a_new_device() -> Deposit:
    """Return a deposit of a player of its own, with a card and a device that nobody else has."""
    return deposit(
        payment_instrument=f"hm1:{unique('card')}", device_id=f"hm1:{unique('device')}", ip="hm1:ip"
    )


async def links_of(database: Database, paid: Deposit) -> list[Link]:
    query = (
        select(IdentityLink)
        .where(IdentityLink.player_id == paid.player_id)
        .order_by(IdentityLink.kind)
    )
    async with database.reading() as session:
        return [
            Link(one.kind, one.value, one.is_strong, one.first_seen_at, one.last_seen_at)
            for one in await session.scalars(query)
        ]


async def cluster_of(database: Database, paid: Deposit) -> UUID | None:
    async with database.reading() as session:
        return await clusters.cluster_of(session, paid.player_id)
