"""The funds queue of a campaign: referrals that wait for its money, the longest waiting first."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession, Session
from db.tables import ReferralRow
from db.wakes import write_and_wake
from domain.ledger.movements import Account, Book, Transfer
from domain.lifecycle.signals import LOOK, Signal
from referrals.campaigns import limits_queue
from referrals.campaigns.budget_alerts import alert
from referrals.campaigns.versions import has_currencies
from referrals.ledger import posting as ledger
from referrals.ledger.absent import NOTHING_ABSENT, Absent
from referrals.ledger.account_locks import lock_accounts
from referrals.ledger.posting import PostingOutcome

MAX_AT_ONCE: Final = 32
"""Referrals that one act wakes at most; each of them that leaves the queue wakes the next."""
MAX_AHEAD: Final = 100
"""Referrals ahead whose needs are summed; a new referral behind more of them just queues up."""
MONEY: Final = "funds/"
END: Final = "ended/"
MOVED: Final = "moved/"
"""Prefixes of the wake-ups' event ids. A `/` is in no id of a caller."""

# A referral that waits for its reinstatement counts once for each cause: it may wait for a player
# to be eligible again, and then needs no money. So does one that waits for an end that was moved,
# because it may wait on. The order is the inner query's: so as many are read from the index as are
# wanted, and not sorted. `exists` under an `or` would read all deliveries at once.
WAKE: Final = text("""
    with waiting as materialized (
        select r.id, r.since,
               (select coalesce(sum(w.amount_minor), 0) from rewards w
                 where w.referral_id = r.id and w.status in ('DEFERRED', 'REVERSED')) as need_minor
          from (
            select id, stage, awaits_funds_since as since from referrals
             where campaign_id = :campaign_id and awaits_funds
               and id is distinct from :leaving_id
             order by awaits_funds_since, id
            offset 0 -- so that the conditions outside change nothing of how this is read
          ) as r
         where (:is_for_all or coalesce((
                    select w.currency from rewards w
                     where w.referral_id = r.id limit 1), :currency) = :currency)
           and not (r.stage = 'REVERSED' and :is_for_all)
           and (r.stage <> 'REVERSED' and not :is_moved or (select d.id from deliveries d
                    where (d.referral_id, d.kind, d.event_id) = (r.id, :kind, :event_id) limit 1
                ) is null)
         limit :limit
    ), queue as (
        select id, row_number() over places as place,
               coalesce(sum(need_minor) over (
                   places rows between unbounded preceding and 1 preceding), 0) as before_minor
          from waiting window places as (order by since, id)
    ), woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select id, :kind, :event_id, :signal from queue
         where :is_for_all
            or before_minor < (
                select free_minor from campaign_budgets where account_id = :account_id)
         order by place
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
# A credit recovers what its player owes. Where that is owed to the same campaign, the credit needs
# less of its money, or none: who waits for it may be payable although no money came back.
_WAKE_DEBTORS: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select r.id, :kind, :event_id, :signal from referrals r
         where r.awaits_funds and r.id <> :leaving_id
           and (r.referrer_id = any(:debtors) or r.referee_id = any(:debtors))
         order by r.awaits_funds_since, r.id
         limit :limit
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
_CAUSE_OF_WAKING: Final = text("""
    select event_id from deliveries
     where referral_id = :referral_id and kind = :kind and event_id ~ :prefixes
     order by id desc limit 1
""")
_WAITS: Final = text("select count(*) from holds where referral_id = :referral_id")
_CURRENCY: Final = text("select currency from rewards where referral_id = :referral_id limit 1")
# The needs of those ahead of a referral that are paid from the same budget: of all that wait, or of
# those that wait longer. One that waits for its reinstatement may wait for a player to be eligible,
# and then needs no money. `exists` under an `or` would read all holds at once.
AHEAD: Final = text("""
    select (select coalesce(sum(w.amount_minor), 0) from rewards w
             where w.referral_id = r.id and w.status in ('DEFERRED', 'REVERSED'))
      from referrals r
     where r.campaign_id = :campaign_id and r.awaits_funds and r.id <> :referral_id
       and exists (select from rewards w
                    where w.referral_id = r.id and w.currency = any(:currencies))
       and (r.stage = 'DEFERRED' or (
                select true from holds h
                where h.referral_id = r.id and h.reason = 'funds' and h.cleared_at is null limit 1))
       and (:is_new or (r.awaits_funds_since, r.id) < (
                select awaits_funds_since, id from referrals where id = :referral_id))
     order by r.awaits_funds_since, r.id
     limit :limit
""")


async def post(
    session: Session,
    referral: ReferralRow,
    transfers: Sequence[Transfer],
    *,
    at: datetime,
    absent: Absent = NOTHING_ABSENT,
) -> PostingOutcome:
    """Post the transfers of a locked referral's act, in its turn.

    INSUFFICIENT also when the referrals that wait longer need the money. What the transfers bring
    back to a campaign wakes those that wait for it, and what they change of a player's debts those
    that would pay this player; a referral that was woken wakes the next.
    """
    net = _net_of_campaigns(transfers)
    spent = {account: -minor for account, minor in net.items() if minor < 0}
    is_awaited = bool(spent and not absent.queue and await _needs_ahead(session, referral, net))
    if is_awaited and not await _is_its_turn(session, referral, transfers, net):
        posting = PostingOutcome.INSUFFICIENT
    else:
        gathers = is_awaited or referral.awaits_funds
        is_new = absent.transfers
        posting = await ledger.post(session, transfers, at=at, gathers=gathers, are_new=is_new)
    if posting is PostingOutcome.POSTED:
        for account, minor in net.items():
            if minor > 0:
                await _wake(session, account, f"{MONEY}{transfers[0].id}", leaving_id=referral.id)
        await _wake_debtors(session, referral, transfers)
        await pass_on(session, referral)
    if posting is not PostingOutcome.ALREADY_POSTED:
        for account, minor in spent.items():
            await alert(session, account, campaign=referral.campaign_slug, next_minor=minor, at=at)
    return posting


async def pass_on(session: Session, referral: ReferralRow) -> None:
    """Wake the next in place of a referral that was paid, gives up, or cannot be paid now."""
    if not referral.awaits_funds:
        return
    cause = await _cause_of_waking(session, referral, f"^({MONEY}|{END})")
    if cause is None:
        # Nothing woke it: what it leaves to the others is news in itself, once for each wait.
        waits = await session.scalar(_WAITS, {"referral_id": referral.id})
        cause = f"{MONEY}{referral.id}/{referral.steps}/{waits}"
    await _wake(session, await _budget_of(session, referral), cause, leaving_id=referral.id)
    await pass_on_move(session, referral)


async def pass_on_move(session: Session, referral: ReferralRow) -> None:
    """Wake the next in place of a referral that has seen its campaign's end was moved."""
    cause = await _cause_of_waking(session, referral, f"^{MOVED}")
    if cause is not None:
        account = await _budget_of(session, referral)
        await _wake(session, account, cause, leaving_id=referral.id, limit=1)


async def wake_for_money(
    session: Session, campaign_id: UUID, currency: str, *, audit_id: int
) -> None:
    """Wake the longest waiting referrals, as many as the campaign's budget may pay."""
    await _wake(session, _budget_account(campaign_id, currency), f"{MONEY}{audit_id}")


async def wake_for_end(
    session: Session, campaign_id: UUID, currency: str, *, audit_id: int
) -> None:
    """Wake the longest waiting referrals of a campaign that has ended, whatever it can pay."""
    await limits_queue.wake_for_end(session, campaign_id, audit_id=audit_id)
    await _wake(session, _budget_account(campaign_id, currency), f"{END}{audit_id}")


async def wake_for_move(
    session: Session, campaign_id: UUID, currency: str, *, audit_id: int
) -> None:
    """Wake the longest waiting referrals of a campaign whose end was moved: they wait for it."""
    await limits_queue.wake_for_end(session, campaign_id, audit_id=audit_id)
    await _wake(session, _budget_account(campaign_id, currency), f"{MOVED}{audit_id}")


async def _cause_of_waking(
    session: ReadSession, referral: ReferralRow, prefixes: str
) -> str | None:
    values = {"referral_id": referral.id, "kind": LOOK, "prefixes": prefixes}
    return cast("str | None", await session.scalar(_CAUSE_OF_WAKING, values))


async def _wake_debtors(
    session: Session, leaving: ReferralRow, transfers: Sequence[Transfer]
) -> None:
    """Wake the longest waiting referrals of those players whose debts the transfers change."""
    debtors = {
        account.player_id
        for transfer in transfers
        for arrow in transfer.arrows
        for account in arrow
        if account.book is Book.OWED
    }
    if not debtors:
        return
    values = {
        "debtors": sorted(filter(None, debtors)),
        "leaving_id": leaving.id,
        "kind": LOOK,
        "event_id": f"{MONEY}{transfers[0].id}",
        "signal": Signal.LOOK.value,
        "limit": MAX_AT_ONCE,
    }
    await write_and_wake(session, _WAKE_DEBTORS, values)


async def _wake(
    session: Session,
    account: Account,
    event_id: str,
    *,
    leaving_id: UUID | None = None,
    limit: int = MAX_AT_ONCE,
) -> None:
    values = {
        "campaign_id": account.campaign_id,
        "account_id": account.id,
        "currency": account.currency,
        "leaving_id": leaving_id,
        "is_for_all": event_id.startswith((END, MOVED)),
        "is_moved": event_id.startswith(MOVED),
        "kind": LOOK,
        "event_id": event_id,
        "signal": Signal.LOOK.value,
        "limit": limit,
    }
    await write_and_wake(session, WAKE, values)


async def _is_its_turn(
    session: Session, referral: ReferralRow, transfers: Sequence[Transfer], net: Counter[Account]
) -> bool:
    """Return whether the budget covers the transfers and all that wait longer.

    Those that wait are read again under the accounts' locks.
    """
    accounts = {account for t in transfers for arrow in t.arrows for account in arrow}
    balances = await lock_accounts(session, accounts, whole=True)
    needs_minor = await _needs_ahead(session, referral, net)
    if len(needs_minor) == MAX_AHEAD and not referral.awaits_funds:
        return False
    return all(
        (balances[account] or 0) + minor >= sum(needs_minor)
        for account, minor in net.items()
        if minor < 0
    )


async def _needs_ahead(
    session: ReadSession, referral: ReferralRow, net: Counter[Account]
) -> Sequence[int]:
    values = {
        "campaign_id": referral.campaign_id,
        "referral_id": referral.id,
        "currencies": sorted({account.currency for account, minor in net.items() if minor < 0}),
        "is_new": not referral.awaits_funds,
        "limit": MAX_AHEAD,
    }
    return [int(minor) for minor in await session.scalars(AHEAD, values)]


def _net_of_campaigns(transfers: Sequence[Transfer]) -> Counter[Account]:
    net: Counter[Account] = Counter()
    for transfer in transfers:
        for source, target in transfer.arrows:
            net[source] -= transfer.amount.minor
            net[target] += transfer.amount.minor
    return Counter({a: minor for a, minor in net.items() if a.book is Book.CAMPAIGN})


async def _budget_of(session: ReadSession, referral: ReferralRow) -> Account:
    """Return the budget that a referral is paid from; its rewards have one currency."""
    currency = referral.terms["minimum_deposit"]["currency"]
    if has_currencies(referral.terms):
        values = {"referral_id": referral.id}
        currency = await session.scalar(_CURRENCY, values) or currency
    return _budget_account(referral.campaign_id, currency)


def _budget_account(campaign_id: UUID, currency: str) -> Account:
    return Account(book=Book.CAMPAIGN, currency=currency, campaign_id=campaign_id)
