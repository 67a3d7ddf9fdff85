"""Wake-ups of referrals that wait for funds, when money arrives or the campaign ends."""

from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import select, update

from db.engine import Database
from db.tables import Delivery, ReferralRow
from tests.api.bodies import create_code, publish_campaign, unique
from tests.fixtures.database_activity import recorded_statements


async def test_funding_and_ending_wake_each_waiting_referral_once_per_act(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    waiting, other = [await invited(client, slug) for _ in range(2)]
    async with database.transaction() as session:
        await session.execute(
            update(ReferralRow).where(ReferralRow.id == waiting).values(awaits_funds=True)
        )
    for reference in ("one", "one", "two"):
        money = {"amount": {"minor": 5, "currency": "USD"}, "reference": reference}
        await client.post(f"/v1/campaigns/{slug}/fund", json=money)
    for step in ("pause", "resume", "end"):
        await client.post(f"/v1/campaigns/{slug}/{step}")
    assert len(await look_signals(database, waiting)) == 4
    assert await look_signals(database, other) == []


async def test_waking_takes_one_statement_of_each_queue_however_many_wait(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    waiting = [await invited(client, slug) for _ in range(3)]
    async with database.transaction() as session:
        await session.execute(
            update(ReferralRow).where(ReferralRow.id.in_(waiting)).values(awaits_funds=True)
        )
    with recorded_statements(database) as seen:
        await client.post(f"/v1/campaigns/{slug}/end")
    assert sum("insert into deliveries" in statement for statement in seen) == 2
    assert [await look_signals(database, referral) for referral in waiting] == [["look"]] * 3


async def invited(client: AsyncClient, slug: str) -> UUID:
    code = await create_code(client, slug)
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    return UUID((await client.post("/v1/clicks", json=click)).json()["referral_id"])


async def look_signals(database: Database, referral_id: UUID) -> list[str | None]:
    async with database.reading() as session:
        query = select(Delivery.signal).where(Delivery.referral_id == referral_id)
        return list(await session.scalars(query.where(Delivery.kind == "look")))
