"""Referrals with money behind them, for tests of the ledger's rules and of verification."""

from datetime import timedelta
from typing import Final

from courier.route_player import route_player
from db.engine import Session
from db.tables import ReferralRow
from domain.fraud.snapshot import Snapshot
from domain.intake.facts import Deposit, FactKind, TakeBack
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.due import due
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import Qualification
from domain.rewards.reward import promised_rewards
from referrals.fraud import assessments
from referrals.intake import facts
from referrals.ledger.spending import spend
from referrals.lifecycle import stages
from referrals.rewards import adjustments, attempts, holds
from referrals.rewards import transfers as rewards
from tests import builders

CREDITED_AT: Final = builders.NOW + timedelta(hours=2)


async def a_depositing_referral(
    session: Session, *, referrer_id: str | None = None
) -> tuple[ReferralRow, Deposit]:
    """Build a referral at SIGNED_UP whose deposit is on its way to it; nothing carries it."""
    row = await builders.a_bound_referral(session, referrer_id=referrer_id)
    referee_id = str(row.referee_id)
    paid = builders.deposit(referee_id)
    await facts.record_fact(session, paid, player_id=referee_id, door="http")
    await route_player(session, referee_id, tokens=builders.TOKENS, now=CREDITED_AT)
    return row, paid


async def a_held_referral(session: Session, *, referrer_id: str | None = None) -> ReferralRow:
    """Build a referral at HELD, with its reward reserved."""
    row, paid = await a_depositing_referral(session, referrer_id=referrer_id)
    referee_id = str(row.referee_id)
    await assessments.assess_and_store(
        session, row, Snapshot(), deposit_event_id=paid.event_id, at=CREDITED_AT
    )
    await session.flush()
    found = Qualification(fact_ids=(paid.event_id,), met_at=paid.occurred_at, left=paid.amount)
    attempt = await attempts.attempt_after(
        await attempts.latest_attempt(session, row.id), session, row.id, found, at=CREDITED_AT
    )
    promised = await rewards.write_promised(
        session,
        row,
        promised_rewards(
            row.id, builders.TERMS, referrer_id=row.referrer_id, referee_id=referee_id
        ),
        qualification_id=attempt.qualification_id,
        deposit_event_id=paid.event_id,
        held_until=CREDITED_AT,
        at=CREDITED_AT,
    )
    await rewards.hold(session, row, promised, at=CREDITED_AT)
    period = Hold(reason=HoldReason.HOLD_PERIOD, since=CREDITED_AT, until=CREDITED_AT)
    await holds.set_holds(session, row.id, [period], attempt=attempt.number, at=CREDITED_AT)
    await stages.enter_stage(session, row, Stage.HELD, until=CREDITED_AT, at=CREDITED_AT)
    row.qualified_by = paid.event_id
    return row


async def a_rewarded_referral(session: Session, *, referrer_id: str | None = None) -> ReferralRow:
    row = await a_held_referral(session, referrer_id=referrer_id)
    held = await rewards.rewards_of_referral(session, row.id)
    await rewards.release(session, row, held, at=CREDITED_AT)
    await holds.set_holds(session, row.id, (), attempt=1, at=CREDITED_AT)
    until = CREDITED_AT + builders.TERMS.chargeback_window
    await stages.enter_stage(session, row, Stage.REWARDED, until=until, at=CREDITED_AT)
    return row


async def a_reversed_referral(session: Session, *, spent: Money | None = None) -> ReferralRow:
    """Build a referral whose deposit was charged back, after its referrer had spent `spent`."""
    row = await a_rewarded_referral(session)
    if spent is not None:
        player, bet = row.referrer_id, builders.unique("bet")
        await spend(session, player_id=player, amount=spent, reference=bet, at=CREDITED_AT)
    await takes_back(session, row)
    issued = await rewards.rewards_of_referral(session, row.id)
    await adjustments.adjust(session, row, issued, due(None, builders.TERMS), at=CREDITED_AT)
    await stages.enter_stage(session, row, Stage.REVERSED, until=row.until, at=CREDITED_AT)
    return row


async def takes_back(
    session: Session, row: ReferralRow, kind: TakeBack = TakeBack.CHARGEBACK
) -> None:
    """Report a chargeback or the like of the deposit of a referral; its workflow hears of it later.

    Nothing carries the delivery.
    """
    referee_id = str(row.referee_id)
    (paid,) = await facts.facts_of_player(session, referee_id, FactKind.DEPOSIT)
    assert isinstance(paid, Deposit)
    taken = builders.chargeback(paid, kind)
    await facts.record_fact(session, taken, player_id=referee_id, door="http")
    await route_player(session, referee_id, tokens=builders.TOKENS, now=CREDITED_AT)
