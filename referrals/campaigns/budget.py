"""A campaign's budget: funded as planned when it is published, funded and defunded by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import case, func, select

from db.engine import ReadSession, Session
from db.tables import Campaign, CampaignVersion, TransferRow
from domain.derived_ids import derived_id
from domain.ledger.movements import Account, Book, Movement, Transfer
from domain.money import Money
from referrals.ledger import posting as ledger
from referrals.ledger.account_locks import lock_accounts
from referrals.ledger.balances import balance_minor
from referrals.ledger.posting import PostingOutcome, find_posted
from referrals.ledger.shards import set_shards


class BudgetOutcome(StrEnum):
    POSTED = "posted"
    ALREADY_POSTED = "already"
    INSUFFICIENT = "insufficient"
    REFERENCE_CONFLICT = "reference_conflict"


@dataclass(frozen=True, slots=True)
class Funding:
    """Money for a campaign, or out of it, under the funder's reference."""

    amount: Money
    reference: str


async def fund_planned_budget(session: Session, row: Campaign, *, at: datetime) -> None:
    """Fund a locked campaign with its version's planned budget, once."""
    minor = await load_planned_minor(session, row)
    if minor:
        funding = Funding(Money(minor, row.currency), "publish")
        await _post(session, row, Movement.FUND, funding, uuid5(row.id, "publish"), at=at)


async def fund_published(
    session: Session, row: Campaign, funding: Funding, *, at: datetime
) -> bool:
    """Fund a locked campaign's further budget, once; return whether money moved now.

    Its id is apart from those of people's references. One that was funded under its reference by an
    earlier build is not funded again.
    """
    found = await find_funding(session, row, Movement.FUND, funding.reference)
    if isinstance(found, TransferRow) and found.currency == funding.amount.currency:
        return False
    transfer_id = derived_id(row.id, "publish", funding.amount.currency)
    posting = await _post(session, row, Movement.FUND, funding, transfer_id, at=at)
    return posting is PostingOutcome.POSTED


async def load_planned_minor(session: ReadSession, row: Campaign) -> int:
    """Return the budget of the campaign's current version, in minor units."""
    query = select(CampaignVersion.budget_minor).where(CampaignVersion.campaign_id == row.id)
    return await session.scalar(query.where(CampaignVersion.version == row.version)) or 0


async def load_funded_minor(session: ReadSession, row: Campaign, currency: str) -> int:
    """Return what was put into a budget and not taken back out, in minor units, spent or not."""
    signed = case(
        (TransferRow.movement == Movement.FUND, TransferRow.amount_minor),
        else_=-TransferRow.amount_minor,
    )
    query = select(func.coalesce(func.sum(signed), 0)).where(
        TransferRow.campaign_id == row.id,
        TransferRow.currency == currency,
        TransferRow.movement.in_((Movement.FUND, Movement.DEFUND)),
    )
    return int(await session.scalar(query) or 0)


async def find_funding(
    session: ReadSession, row: Campaign, movement: Movement, reference: str
) -> TransferRow | UUID:
    """Return the FUND or DEFUND of a reference, or the id to post it under.

    For a FUND that is the id of release 0.2, by which a process of that release knows a repeated
    one, unless the first budget of `default` has it.
    """
    ids = [derived_id(row.id, movement, reference)]
    if movement is Movement.FUND:
        ids.insert(0, uuid5(row.id, f"fund:{reference}"))
    return await find_posted(session, ids, campaign_id=row.id, reference=reference)


async def post_funding(
    session: Session, row: Campaign, movement: Movement, funding: Funding, *, at: datetime
) -> BudgetOutcome:
    """FUND or DEFUND a campaign whose row is locked, once per movement and reference."""
    found = await find_funding(session, row, movement, funding.reference)
    transfer_id = found.id if isinstance(found, TransferRow) else found
    posting = await _post(session, row, movement, funding, transfer_id, at=at)
    if posting is PostingOutcome.ALREADY_POSTED:
        known = await session.get_one(TransferRow, transfer_id)
        if Money(known.amount_minor, known.currency) != funding.amount:
            return BudgetOutcome.REFERENCE_CONFLICT
    return BudgetOutcome(posting)


async def holds_money(session: ReadSession, row: Campaign) -> bool:
    """Return whether there is money in the campaign's budget, in its present currency."""
    account = Account(book=Book.CAMPAIGN, currency=row.currency, campaign_id=row.id)
    return bool(await balance_minor(session, account))


async def spread(session: Session, row: Campaign, currencies: Sequence[str], shards: int) -> None:
    """Let the campaign's budgets in these currencies be spread over so many shards."""
    accounts = [Account(book=Book.CAMPAIGN, currency=c, campaign_id=row.id) for c in currencies]
    await lock_accounts(session, accounts)
    for account in sorted(accounts, key=lambda account: account.id):
        await set_shards(session, account, shards)


async def _post(
    session: Session,
    row: Campaign,
    movement: Movement,
    funding: Funding,
    transfer_id: UUID,
    *,
    at: datetime,
) -> PostingOutcome:
    transfer = Transfer(
        id=transfer_id, movement=movement, amount=funding.amount, campaign_id=row.id
    )
    return await ledger.post(session, [transfer], at=at, reference=funding.reference, gathers=True)
