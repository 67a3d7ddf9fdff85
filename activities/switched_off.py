"""Waiting for a kill switch: while one is off, nothing of its scope is credited."""

from collections.abc import Sequence

from activities.holding import SWITCH_RECHECK_INTERVAL
from activities.locked_referrals import LockedReferral
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.holds import Hold, HoldReason
from referrals.campaigns import funds_queue, switches
from referrals.rewards import holds
from referrals.rewards.attempts import Attempt


async def find_off(locked: LockedReferral) -> Sequence[str]:
    """Return the scopes of a locked referral that are off; they stay so until the act ends."""
    if not (await locked.recorded()).has_switches:
        return ()
    return await switches.find_off_and_keep(
        locked.session,
        campaign=locked.referral.campaign_slug,
        signup_event_id=locked.referral.signup_event_id,
    )


def hold_of(locked: LockedReferral, off: Sequence[str]) -> Hold:
    return Hold(reason=HoldReason.SWITCHED_OFF, since=locked.now, detail=tuple(off))


async def defer(locked: LockedReferral, attempt: Attempt, hold: Hold) -> Standing:
    """Defer a qualified referral until its switch is turned on; it reserves no money."""
    await funds_queue.pass_on(locked.session, locked.referral)
    locked.referral.awaits_funds = False
    await holds.set_holds(
        locked.session, locked.referral.id, [hold], attempt=attempt.number, at=locked.now
    )
    until = locked.now + SWITCH_RECHECK_INTERVAL
    return await locked.enter(Stage.DEFERRED, until=until, reason=ReasonCode.SWITCHED_OFF)
