"""Events that tell people when a campaign's budget runs out, while they can still refill it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import text

from db import outbox
from db.engine import Session
from domain.campaigns.budget_alerts import reached_thresholds
from domain.ledger.movements import Account

EVENT_TYPE: Final = "BudgetAlert"

# A campaign is funded a few times; these are found by an index of their own.
_BUDGET: Final = text("""
    select coalesce(sum(case movement when 'fund' then amount_minor else -amount_minor end), 0)
               as budget_minor,
           count(*) filter (where movement = 'fund') as fundings,
           (select free_minor from campaign_budgets where account_id = :account_id) as left_minor
      from transfers
     where campaign_id = :campaign_id and currency = :currency and movement in ('fund', 'defund')
""")


async def alert(
    session: Session, account: Account, *, campaign: str, next_minor: int, at: datetime
) -> None:
    """Write an event for each threshold of the budget that is reached, once for each refill.

    The caller holds the lock of the budget's account. Where the budget is spread, that of one shard
    alone: it does not see what others spend at the same time, but the next one does. `next_minor`
    is what the next reward costs.
    """
    values = {"account_id": account.id, "campaign_id": account.campaign_id}
    found = await session.execute(_BUDGET, values | {"currency": account.currency})
    row = found.one()
    budget_minor, left_minor = int(row.budget_minor), int(row.left_minor or 0)
    for threshold in reached_thresholds(
        budget_minor=budget_minor, left_minor=left_minor, next_minor=next_minor
    ):
        event_id = _event_id(account, threshold, fundings=row.fundings)
        payload = {
            "event_id": str(event_id),
            "type": EVENT_TYPE,
            "schema_version": outbox.SCHEMA_VERSION,
            "occurred_at": at.isoformat(),
            "referral_id": None,
            "campaign": campaign,
            "stage": None,
            "threshold": threshold,
            "budget": _money(budget_minor, account.currency),
            "left": _money(left_minor, account.currency),
        }
        await outbox.write_event(
            session,
            event_id=event_id,
            type_=EVENT_TYPE,
            key=f"campaign:{campaign}",
            payload=payload,
        )


def _event_id(account: Account, threshold: int, *, fundings: int) -> UUID:
    """Return the id of an alert; each refill arms it again."""
    return uuid5(account.id, f"alert:{threshold}:{fundings}")


def _money(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}
