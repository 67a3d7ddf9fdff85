"""How a referral begins with its signup, and how it ends when nothing more can be earned."""

from datetime import timedelta
from typing import Final

from temporalio import activity

from activities.messages import Admission, Look
from activities.records import LockedReferrals, Record
from domain.lifecycle.referral import Stage, Standing
from referrals.intake import facts
from referrals.lifecycle import stages

ROUTING_GRACE: Final = timedelta(minutes=1)
"""How long an invitation waits for the courier to route a signup that was heard in time."""


class ReferralActivities:
    def __init__(self, records: LockedReferrals) -> None:
        self._records = records

    @activity.defn
    async def admit_signup(self, look: Look) -> Admission:
        """Record and bind a signup that was signalled to this referral; answer where it stands.

        Also the act of an invitation that was told to look. A fault of the database is retried.
        """
        async with self._records.opened(look) as record:
            return Admission(record.standing, record.referral.referee_id)

    @activity.defn
    async def expire_referral(self, look: Look) -> Standing:
        """Close the referral as EXPIRED, unless what was awaited has arrived after all.

        Answers SIGNED_UP unchanged when a deposit qualifies: it has then to be scored.
        """
        async with self._records.opened(look) as record:
            if not record.is_still_at(look.standing):
                return record.standing
            if record.referral.stage is Stage.INVITED:
                return await self._expire_invitation(record)
            if await record.qualifying_deposit():
                return record.standing
            return await _expire(record, "no qualifying deposit in time")

    async def _expire_invitation(self, record: Record) -> Standing:
        invited_at, terms = record.referral.invited_at, record.terms
        carried = self._records.tokens.issue_each(
            record.referral.id, expires_at=invited_at + terms.signup_window
        )
        if await facts.has_unrouted_signup(record.session, carried):
            return Standing(Stage.INVITED, record.now + ROUTING_GRACE)
        return await _expire(record, "no signup in time")


async def _expire(record: Record, reason: str) -> Standing:
    return await stages.enter_stage(
        record.session,
        record.referral,
        Stage.EXPIRED,
        until=record.now,
        at=record.now,
        reason=reason,
    )
