"""Steps that tests of the courier share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from courier.route_player import route_player
from db.engine import Database
from db.tables import AttemptRow, Campaign, Delivery, ReferralRow, TouchRow
from domain.campaigns.terms import CampaignStatus
from domain.intake.facts import Fact, FactKind, Signup
from domain.lifecycle.referral import Stage
from referrals.attribution.log import SignupDoor
from referrals.intake import facts
from referrals.lifecycle import deliveries
from tests.builders import (
    NOW,
    TERMS,
    TOKENS,
    a_code,
    an_invitation,
    an_offer,
    delivery_of_invitation,
    signup,
)
from workflows.client import workflow_id

START = "start"


@dataclass(frozen=True, slots=True)
class InvitedReferral:
    row: ReferralRow
    token: str


async def invite(
    database: Database, *, at: datetime = NOW, visitor: str | None = None
) -> InvitedReferral:
    async with database.transaction() as session:
        row = await an_invitation(session, invited_at=at, visitor=visitor)
    return InvitedReferral(row, token_of(row))


async def invite_twice(database: Database, visitor: str) -> tuple[InvitedReferral, InvitedReferral]:
    """Let the same visitor follow the codes of two referrers."""
    return await invite(database, visitor=visitor), await invite(database, visitor=visitor)


def token_of(row: ReferralRow) -> str:
    expires_at = row.invited_at + TERMS.signup_window
    return TOKENS.issue(row.id, expires_at=expires_at)


async def a_shared_code(database: Database, *, ends_at: datetime | None = None) -> str:
    async with database.transaction() as session:
        return (await a_code(session, await an_offer(session, ends_at=ends_at))).code


async def end_campaign(database: Database, row: ReferralRow) -> None:
    async with database.transaction() as session:
        campaign = await session.get_one(Campaign, row.campaign_id)
        campaign.status = CampaignStatus.ENDED


async def record_facts(database: Database, *reported: Fact, player_id: str) -> None:
    for fact in reported:
        async with database.transaction() as session:
            await facts.record_fact(session, fact, player_id=player_id, door="http")


async def route(database: Database, player_id: str, *, now: datetime = NOW) -> tuple[Fact, ...]:
    async with database.transaction() as session:
        return await route_player(session, player_id, tokens=TOKENS, now=now)


async def record_and_route(
    database: Database, *reported: Fact, player_id: str, now: datetime = NOW
) -> None:
    await record_facts(database, *reported, player_id=player_id)
    await route(database, player_id, now=now)


async def sign_up(database: Database, signup: Signup) -> AttemptRow:
    await record_and_route(database, signup, player_id=signup.player_id)
    return await logged_attempt(database, signup)


async def logged_attempt(
    database: Database, signup: Signup, door: SignupDoor = SignupDoor.EVENT
) -> AttemptRow:
    async with database.reading() as session:
        return await session.get_one(AttemptRow, signup.event_id + door)


async def referrals_of(database: Database, referee_id: str) -> list[ReferralRow]:
    query = select(ReferralRow).where(ReferralRow.referee_id == referee_id)
    async with database.reading() as session:
        return list(await session.scalars(query))


async def touches_of(database: Database, arrival: Signup) -> list[TouchRow]:
    """Return the touches of a player."""
    query = select(TouchRow).where(TouchRow.player_id == arrival.player_id)
    async with database.reading() as session:
        return list(await session.scalars(query))


async def referral(database: Database, invited: InvitedReferral) -> ReferralRow:
    async with database.reading() as session:
        return await session.get_one(ReferralRow, invited.row.id)


async def deliveries_to(database: Database, row: ReferralRow) -> list[Delivery]:
    query = select(Delivery).where(Delivery.referral_id == row.id).order_by(Delivery.id)
    async with database.reading() as session:
        return list(await session.scalars(query))


async def pending_signals(database: Database, row: ReferralRow) -> list[str | None]:
    """Return the signals that are not acknowledged yet, in their order."""
    rows = await deliveries_to(database, row)
    return [delivery.signal for delivery in rows if delivery.acknowledged_at is None]


async def set_stage(
    database: Database,
    row: ReferralRow,
    stage: Stage,
    *,
    until: datetime = NOW + timedelta(days=120),
    qualified_by: str | None = None,
) -> None:
    """Put a referral at the stage that its workflow would have reached."""
    async with database.transaction() as session:
        stored = await session.get_one(ReferralRow, row.id)
        stored.stage, stored.qualified_by = stage, qualified_by
        stored.until = until


async def received_signals(client: Client, row: ReferralRow) -> list[str]:
    """Return 'start' and the signals of the history in order; empty if never started."""
    handle = client.get_workflow_handle(workflow_id(row.id))
    try:
        history = await handle.fetch_history()
    except RPCError as fault:
        if fault.status is RPCStatusCode.NOT_FOUND:
            return []
        raise
    names = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            names.append(START)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            names.append(event.workflow_execution_signaled_event_attributes.signal_name)
    return names


Connect = Callable[[], Awaitable[Client]]


def connecting_to(client: Client) -> Connect:
    async def connected() -> Client:
        return client

    return connected


async def invite_by_click(database: Database) -> ReferralRow:
    async with database.transaction() as session:
        row = await an_invitation(session)
        await deliveries.enqueue(session, row.id, delivery_of_invitation(row.id))
    return row


async def bind_referral(database: Database) -> ReferralRow:
    arrival = signup(code=await a_shared_code(database))
    await sign_up(database, arrival)
    (row,) = await referrals_of(database, arrival.player_id)
    return row


async def make_unreadable(superuser: Database, player_id: str, kind: FactKind) -> None:
    """Let a player's facts of a kind be ones that a later release wrote, with content of theirs."""
    later = text("""
        update facts set body = body || '{"kind": "clawback", "status": "resting", "locale": 7,
            "amount": {"minor": "stored-secret", "currency": "USD"}}'
         where player_id = :player_id and kind = :kind returning event_id
    """)
    async with superuser.transaction() as session:
        await session.execute(text("set local session_replication_role = replica"))
        changed = await session.execute(later, {"player_id": player_id, "kind": kind})
        assert changed.all()
