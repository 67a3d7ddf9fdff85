"""A campaign's budget: funded as planned when it is published, and by people later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select, text

from db import notifications
from db.engine import Session
from db.tables import Campaign, CampaignVersion
from domain.ledger.movements import Movement, Transfer
from domain.lifecycle.signals import LOOK, Signal
from domain.money import Money
from referrals.ledger import posting as ledger
from referrals.ledger.posting import PostingOutcome
from referrals.ledger.spending import posted_amount

_WAKE_WAITING: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select id, :kind, :event_id, :signal from referrals
         where campaign_id = :campaign_id and awaits_funds
         order by id
        on conflict do nothing
        returning id
    )
    select pg_notify(:channel, :updates) from woken limit 1
""")


@dataclass(frozen=True, slots=True)
class Funding:
    """Money for a campaign, under the funder's reference."""

    amount: Money
    reference: str


async def fund_planned_budget(session: Session, row: Campaign, *, at: datetime) -> None:
    """Fund a locked campaign with its version's planned budget, once."""
    query = select(CampaignVersion.budget_minor).where(CampaignVersion.campaign_id == row.id)
    minor = await session.scalar(query.where(CampaignVersion.version == row.version))
    if minor:
        funding = Funding(Money(minor, row.currency), "publish")
        await _post(session, row, funding, transfer_id=uuid5(row.id, "publish"), at=at)


async def add_funding(
    session: Session, row: Campaign, funding: Funding, *, at: datetime
) -> PostingOutcome | None:
    """Fund a locked campaign once per reference; return None if it was used for another amount."""
    transfer_id = uuid5(row.id, f"fund:{funding.reference}")
    posting = await _post(session, row, funding, transfer_id=transfer_id, at=at)
    known = posting is PostingOutcome.ALREADY_POSTED
    if known and await posted_amount(session, transfer_id) != funding.amount:
        return None
    return posting


async def wake_waiting_referrals(session: Session, row: Campaign, audit_id: int) -> None:
    """Let referrals that wait for money look again, once for each audited act."""
    values = {
        "campaign_id": row.id,
        "kind": LOOK,
        "event_id": f"campaign:{audit_id}",
        "signal": Signal.LOOK.value,
        "channel": notifications.CHANNEL,
        "updates": notifications.FACTS_OR_UPDATES,
    }
    await session.execute(_WAKE_WAITING, values)


async def _post(
    session: Session, row: Campaign, funding: Funding, *, transfer_id: UUID, at: datetime
) -> PostingOutcome:
    transfer = Transfer(
        id=transfer_id, movement=Movement.FUND, amount=funding.amount, campaign_id=row.id
    )
    return await ledger.post(session, [transfer], at=at, reference=funding.reference)
