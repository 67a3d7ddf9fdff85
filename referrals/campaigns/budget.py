"""A campaign's budget: planned money comes when it is published, more when a person adds it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select, text

from db.engine import Session
from db.tables import Campaign, CampaignVersion
from domain.ledger.movements import Movement, Transfer
from domain.money import Money
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome
from referrals.ledger.spending import posted_amount

_WAKE_WAITING: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select id, 'look', :event_id, 'look' from referrals
         where campaign_id = :campaign_id and awaits_funds
         order by id
        on conflict do nothing
        returning id
    )
    select pg_notify('courier', '') from woken limit 1
""")


@dataclass(frozen=True, slots=True)
class Funding:
    """Money for a campaign, under the reference by which its giver knows it."""

    amount: Money
    reference: str


async def fund_planned_budget(session: Session, row: Campaign, *, at: datetime) -> None:
    """Fund a locked campaign with the budget that its version plans, once."""
    query = select(CampaignVersion.budget_minor).where(CampaignVersion.campaign_id == row.id)
    minor = await session.scalar(query.where(CampaignVersion.version == row.version))
    if minor:
        funding = Funding(Money(minor, row.currency), "publish")
        await _post(session, row, funding, transfer_id=uuid5(row.id, "publish"), at=at)


async def add_funding(
    session: Session, row: Campaign, funding: Funding, *, at: datetime
) -> PostingOutcome | None:
    """Fund a locked campaign once per reference; None when its amount was another one."""
    transfer_id = uuid5(row.id, f"fund:{funding.reference}")
    posting = await _post(session, row, funding, transfer_id=transfer_id, at=at)
    known = posting is PostingOutcome.ALREADY_POSTED
    if known and await posted_amount(session, transfer_id) != funding.amount:
        return None
    return posting


async def wake_waiting_referrals(session: Session, row: Campaign, act: int) -> None:
    """Referrals that wait for money look again; each act is one thing to hear."""
    await session.execute(_WAKE_WAITING, {"campaign_id": row.id, "event_id": f"campaign:{act}"})


async def _post(
    session: Session, row: Campaign, funding: Funding, *, transfer_id: UUID, at: datetime
) -> PostingOutcome:
    transfer = Transfer(
        id=transfer_id, movement=Movement.FUND, amount=funding.amount, campaign_id=row.id
    )
    return await ledger.post(session, [transfer], at=at, reference=funding.reference)
