"""Waiting for an exchange rate: a deposit that no rate can judge decides nothing."""

from datetime import timedelta
from typing import Final

from activities.locked_referrals import LockedReferral
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import without_rate
from referrals.campaigns.exchange.lookup import exchange_of
from referrals.campaigns.exchange.rates import keep_rates
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import enter_stage
from referrals.rewards import holds

RATE_RECHECK_INTERVAL: Final = timedelta(days=1)
"""Time until a missing rate is looked for again, although recording one wakes the referral."""


async def wait_for_rate(locked: LockedReferral) -> Standing | None:
    """Let a referral wait whose deposit has no rate; None where no deposit lacks one.

    It stays SIGNED_UP with a hold `no_rate`, past the end of its window.
    """
    lacking = await find_lacking(locked)
    if not lacking:
        await _clear(locked)
        return None
    await keep_rates(locked.session)
    if await exchange_of(locked.session, locked.referral) != locked.exchange:
        # It was recorded meanwhile, and nobody who records another will wake this one.
        look = deliveries.of_circumstance("rates", f"{locked.referral.steps}/{locked.now}")
        await deliveries.enqueue(locked.session, locked.referral.id, look)
    hold = Hold(reason=HoldReason.NO_RATE, since=locked.now, detail=lacking)
    await holds.set_holds(locked.session, locked.referral.id, [hold], attempt=1, at=locked.now)
    until = max(locked.referral.until, locked.now + RATE_RECHECK_INTERVAL)
    return await enter_stage(
        locked.session, locked.referral, Stage.SIGNED_UP, until=until, at=locked.now
    )


async def find_lacking(locked: LockedReferral) -> tuple[str, ...]:
    """Return the currencies of deposits in time for which no rate is known."""
    terms, signed_up_at = locked.terms, locked.referral.signed_up_at
    if not terms.rules.currencies or signed_up_at is None:
        return ()
    return without_rate(await locked.money_facts(), terms, signed_up_at=signed_up_at)


async def _clear(locked: LockedReferral) -> None:
    if locked.terms.rules.currencies and locked.referral.stage is Stage.SIGNED_UP:
        await holds.set_holds(locked.session, locked.referral.id, (), attempt=1, at=locked.now)
