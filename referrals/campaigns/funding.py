"""Money put into a campaign's budgets by people, and taken back out of them."""

from datetime import datetime
from typing import Final

from db.engine import Session
from db.reporters import Reporter, note_caller
from db.tables import Campaign, TransferRow
from domain.ledger.movements import Movement
from referrals.access.audit import Actor
from referrals.campaigns import budget, funds_queue
from referrals.campaigns.budget import BudgetOutcome, Funding
from referrals.campaigns.offers import schedule_of
from referrals.campaigns.outcomes import TransitionOutcome
from referrals.campaigns.store import keep_campaign, load_version, write_audit
from referrals.campaigns.versions import options_from

UNMOVED: Final = {
    BudgetOutcome.ALREADY_POSTED: TransitionOutcome.CHANGED,
    BudgetOutcome.INSUFFICIENT: TransitionOutcome.INSUFFICIENT,
    BudgetOutcome.REFERENCE_CONFLICT: TransitionOutcome.REFERENCE_CONFLICT,
}


async def fund_campaign(
    session: Session,
    slug: str,
    funding: Funding,
    actor: Actor,
    *,
    at: datetime,
    ceiling_minor: int | None = None,
) -> TransitionOutcome:
    """Add to a campaign's budget, once per reference; never to that of one that has ended.

    With a ceiling, what people have put into a budget stays at most that: BEYOND_CEILING is found
    once the money is posted, under the account's lock, and the caller rolls it back.
    """
    row = await keep_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    if funding.amount.currency not in await _currencies(session, row):
        return TransitionOutcome.OTHER_CURRENCY
    found = await budget.find_funding(session, row, Movement.FUND, funding.reference)
    if not isinstance(found, TransferRow) and schedule_of(row).has_ended(at):
        return TransitionOutcome.HAS_ENDED
    outcome, audit_id = await move_budget(session, row, Movement.FUND, funding, actor, at=at)
    if audit_id is not None and ceiling_minor is not None:
        funded_minor = await budget.load_funded_minor(session, row, funding.amount.currency)
        if funded_minor > ceiling_minor:
            return TransitionOutcome.BEYOND_CEILING
    if audit_id is not None:
        await funds_queue.wake_for_money(
            session, row.id, funding.amount.currency, audit_id=audit_id
        )
    return outcome


async def defund_campaign(
    session: Session, slug: str, funding: Funding, actor: Actor, *, at: datetime
) -> TransitionOutcome:
    """Take back what is free of a campaign's budget, once per reference, whatever its status.

    Also in a currency that is no longer the campaign's.
    """
    row = await keep_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    outcome, _ = await move_budget(session, row, Movement.DEFUND, funding, actor, at=at)
    return outcome


async def spread_budgets(
    session: Session, slug: str, shards: int, actor: Actor
) -> TransitionOutcome:
    """Let a campaign's budgets be spread over so many shards, 1 for none, and wake who waits.

    Those that wait are woken because a process of an earlier release may have deferred them: it
    knows a part of a budget that is spread.
    """
    row = await keep_campaign(session, slug)
    if row is None:
        return TransitionOutcome.UNKNOWN
    currencies = sorted(await _currencies(session, row))
    audit_id = await write_audit(session, row, "shards", actor, details={"shards": shards})
    await budget.spread(session, row, currencies, shards)
    for currency in currencies:
        await funds_queue.wake_for_money(session, row.id, currency, audit_id=audit_id)
    return TransitionOutcome.CHANGED


async def move_budget(
    session: Session,
    row: Campaign,
    movement: Movement,
    funding: Funding,
    actor: Actor,
    *,
    at: datetime,
) -> tuple[TransitionOutcome, int | None]:
    """FUND or DEFUND; return the outcome, and the id of the audit row if money moved now."""
    note_caller(session, Reporter(actor.name, actor.request_id))
    outcome = await budget.post_funding(session, row, movement, funding, at=at)
    if outcome is not BudgetOutcome.POSTED:
        return UNMOVED[outcome], None
    return TransitionOutcome.CHANGED, await _sign(session, row, movement, funding, actor)


async def publish_budget(
    session: Session, row: Campaign, funding: Funding, actor: Actor, *, at: datetime
) -> None:
    """Fund a budget beside a locked campaign's first, once, whatever people's references are."""
    note_caller(session, Reporter(actor.name, actor.request_id))
    if await budget.fund_published(session, row, funding, at=at):
        await _sign(session, row, Movement.FUND, funding, actor)


async def _sign(
    session: Session, row: Campaign, movement: Movement, funding: Funding, actor: Actor
) -> int:
    """Write the audit row, without which no money moves, and return its id."""
    amount = {"minor": funding.amount.minor, "currency": funding.amount.currency}
    details = {**amount, "reference": funding.reference}
    return await write_audit(session, row, movement, actor, details=details)


async def _currencies(session: Session, row: Campaign) -> set[str]:
    """Return the currencies in which the live version has a budget."""
    live = await load_version(session, row, row.version)
    return {row.currency} | {money.currency for money in options_from(live.options).currencies}
