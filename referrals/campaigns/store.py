"""Campaigns and their versions as rows: locked, added, and signed in the audit."""

from typing import Any, Final
from uuid import uuid5

from sqlalchemy import func, insert, select

from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.campaigns.variants import variants_json
from referrals.campaigns.versions import link_json, options_json, policy_json, terms_json
from referrals.campaigns.views import Draft

FIRST_VERSION: Final = 1


async def lock_campaign(session: Session, slug: str) -> Campaign | None:
    query = select(Campaign).where(Campaign.slug == slug)
    return await session.scalar(query.with_for_update(key_share=True))


async def keep_campaign(session: Session, slug: str) -> Campaign | None:
    """Keep a campaign as it is until the transaction ends.

    Shared, because who moves money locks an account next, and a referral that holds the account's
    lock keeps the campaign, too, when it joins the funds queue.
    """
    query = select(Campaign).where(Campaign.slug == slug)
    return await session.scalar(query.with_for_update(read=True))


async def latest_version(session: ReadSession, row: Campaign) -> int:
    """Return the number of the version written last, whether or not it was published."""
    query = select(func.max(CampaignVersion.version)).where(CampaignVersion.campaign_id == row.id)
    return await session.scalar(query) or FIRST_VERSION


async def load_version(session: ReadSession, row: Campaign, version: int) -> CampaignVersion:
    query = select(CampaignVersion).where(
        CampaignVersion.campaign_id == row.id, CampaignVersion.version == version
    )
    return (await session.scalars(query)).one()


async def add_version(
    session: Session, row: Campaign, draft: Draft, actor: Actor, *, version: int
) -> None:
    await session.execute(
        insert(CampaignVersion).values(
            id=uuid5(row.id, f"version:{version}"),
            campaign_id=row.id,
            version=version,
            name=draft.name,
            destination=draft.destination,
            budget_minor=draft.budget.minor,
            terms=terms_json(draft.terms),
            attribution=policy_json(draft.attribution),
            link=link_json(draft.link),
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
            options=options_json(draft.options),
            author=actor.name,
            variants=variants_json(draft.terms, draft.variants),
        )
    )


async def write_audit(
    session: Session,
    row: Campaign,
    action: str,
    actor: Actor,
    *,
    details: dict[str, Any] | None = None,
) -> int:
    return await audit.write(
        session,
        actor,
        action=f"campaign.{action}",
        subject=f"campaign:{row.slug}",
        details={"version": row.version, **(details or {})},
    )
