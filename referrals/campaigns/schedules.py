"""When a campaign runs, for the acts that have to know whether it has ended."""

from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import Campaign
from domain.campaigns.terms import Schedule


async def of(session: ReadSession, campaign_id: UUID) -> Schedule:
    query = select(Campaign.status, Campaign.starts_at, Campaign.ends_at)
    row = (await session.execute(query.where(Campaign.id == campaign_id))).one()
    return Schedule(status=row.status, starts_at=row.starts_at, ends_at=row.ends_at)
