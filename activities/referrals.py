"""Activities of a referral's beginning and end: its signup, and its expiry."""

from datetime import timedelta
from typing import Final

from temporalio import activity

from activities.locked_referrals import LockedReferral, LockedReferrals
from activities.messages import ActRequest, Admission
from activities.undecided import reason_of_waiting
from activities.unrated import wait_for_rate
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing, token_expires_at
from referrals.intake import unrouted
from referrals.notifications import reminders

ROUTING_GRACE: Final = timedelta(minutes=1)
"""Time that an invitation at its deadline waits for the courier to route a recorded signup."""


class ReferralActivities:
    def __init__(self, referrals: LockedReferrals) -> None:
        self._referrals = referrals

    @activity.defn
    async def admit_signup(self, request: ActRequest) -> Admission:
        """Record and bind a signup signalled to this referral, and return the new standing.

        Also the act of an invitation that is asked to look again. Database errors are retried.
        """
        async with self._referrals.lock(request) as locked:
            return Admission(locked.standing, locked.referral.referee_id)

    @activity.defn
    async def expire_referral(self, request: ActRequest) -> Standing:
        """Move the referral to EXPIRED, unless the awaited signup or deposit arrived after all.

        Returns SIGNED_UP unchanged when a deposit qualifies: that deposit must be scored. Before
        the recorded deadline it writes the reminder that is due, if any, and goes on waiting.
        """
        is_invited = request.standing.stage is Stage.INVITED
        async with self._referrals.lock(request, with_players=not is_invited) as locked:
            if not locked.is_still_at(request.standing):
                return locked.standing_found
            if locked.referral.stage is Stage.INVITED:
                return await self._expire_invitation(locked)
            if await locked.qualification():
                return locked.standing
            if waiting := await wait_for_rate(locked):
                await reminders.remind_if_due(locked.session, locked.referral, now=locked.now)
                return waiting
            reason, detail = await reason_of_waiting(locked)
            return await _remind_or_expire(locked, reason, detail)

    async def _expire_invitation(self, locked: LockedReferral) -> Standing:
        expires_at = token_expires_at(locked.referral.invited_at, locked.terms)
        tokens_of_referral = self._referrals.tokens.issue_each(
            locked.referral.id, expires_at=expires_at
        )
        if await unrouted.has_unrouted_signup(locked.session, tokens_of_referral):
            return Standing(Stage.INVITED, locked.now + ROUTING_GRACE)
        return await _remind_or_expire(locked, ReasonCode.NO_SIGNUP)


async def _remind_or_expire(
    locked: LockedReferral, reason: ReasonCode, detail: str = ""
) -> Standing:
    if locked.now < locked.referral.until:
        # At the time of a reminder, or of an end that only a signal named.
        await reminders.remind_if_due(locked.session, locked.referral, now=locked.now)
        return locked.standing
    return await locked.enter(Stage.EXPIRED, until=locked.now, reason=reason, detail=detail)
