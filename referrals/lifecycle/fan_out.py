"""Which referral has to hear a fact: every fact of a bound player has one delivery."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import select

from db.engine import Session
from db.tables import FactRow, ReferralRow
from domain.intake.facts import Chargeback, Deposit, Fact, FactKind, Signup, StatusChange, kind_of
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Stage
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import NewDelivery

SIGNAL_BY_KIND: Final = {
    FactKind.SIGNUP: "sign_up",
    FactKind.DEPOSIT: "make_deposit",
    FactKind.CHARGEBACK: "charge_back",
    FactKind.PLAYER: "look",
    FactKind.DECISION: "decide",
}
"""Wagers are missing: a workflow hears of milestones, not of every bet."""

PENDING_REWARD_STAGES: Final = (Stage.HELD, Stage.DEFERRED)


async def deliver_every_fact(session: Session, row: ReferralRow) -> None:
    """What a locked referral's referee did before it was bound may matter to it now."""
    if row.referee_id is not None:
        await deliver_facts(session, row, await facts.facts_of_player(session, row.referee_id))


async def deliver_to_referral(session: Session, player_id: str, heard: Iterable[Fact]) -> None:
    """Deliver what a locked player did to the referral that the player is bound to, if any."""
    row = await session.scalar(
        select(ReferralRow)
        .where(ReferralRow.referee_id == player_id, ReferralRow.stage != Stage.LOST)
        # An act may be moving it just now; then what it asks for is decided after that.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is not None:
        await deliver_facts(session, row, heard)


async def deliver_to_referrers(session: Session, player_id: str, heard: Iterable[Fact]) -> None:
    """A referrer's standing decides about rewards that wait; credited at once they ask for it."""
    changes = [fact for fact in heard if isinstance(fact, StatusChange)]
    if not changes:
        return
    rows = await session.scalars(
        select(ReferralRow)
        .where(ReferralRow.referrer_id == player_id)
        .where(ReferralRow.stage.in_(PENDING_REWARD_STAGES) | ReferralRow.awaits_funds)
        .order_by(ReferralRow.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for row in rows.all():
        news = [_new_delivery(change, needed=True) for change in changes]
        await deliveries.enqueue_all(session, row.id, news)


async def deliver_facts(session: Session, row: ReferralRow, heard: Iterable[Fact]) -> None:
    credited = await _credited_deposit(session, row)
    news = [_new_delivery(fact, needed=_is_relevant(fact, row, credited)) for fact in heard]
    await deliveries.enqueue_all(session, row.id, news)


def _new_delivery(fact: Fact, *, needed: bool) -> NewDelivery:
    kind = kind_of(fact)
    signal = SIGNAL_BY_KIND.get(kind)
    needed = needed and signal is not None
    return NewDelivery(kind=kind, event_id=fact.event_id, signal=signal, needed=needed)


def _is_relevant(fact: Fact, row: ReferralRow, credited: Deposit | None) -> bool:
    if isinstance(fact, Signup):
        return fact.event_id == row.signup_event_id and row.stage in EARNING_STAGES
    if isinstance(fact, StatusChange) and row.awaits_funds:
        # A chargeback may have been won while one of the players could not be credited.
        return True
    if row.stage in CREDITED_STAGES:
        return (
            isinstance(fact, Chargeback)
            and credited is not None
            and fact.deposit_id == credited.deposit_id
        )
    return row.stage in EARNING_STAGES


async def _credited_deposit(session: Session, row: ReferralRow) -> Deposit | None:
    if row.stage not in CREDITED_STAGES or row.qualified_by is None:
        return None
    query = select(FactRow.body).where(FactRow.kind == FactKind.DEPOSIT)
    body = await session.scalar(query.where(FactRow.event_id == row.qualified_by))
    fact = facts.fact_of(FactKind.DEPOSIT, body) if body else None
    return fact if isinstance(fact, Deposit) else None
