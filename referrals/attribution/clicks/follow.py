"""Clicks: somebody followed a code, and the same visitor has one open invitation of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from db.engine import StatementExecutor
from domain.campaigns.terms import Schedule
from referrals.attribution.clicks import statements as visits
from referrals.attribution.clicks.statements import Found, Visit
from referrals.campaigns.offers import Offer

ATTEMPTS: Final = 5
"""Equal clicks at once, or an expired invitation that makes room, take a second one."""


class Outcome(StrEnum):
    NEW = "new"
    KNOWN = "known"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ENDED = "campaign_ended"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a click led to; without a referral when the code leads nowhere."""

    outcome: Outcome
    offer: Offer | None = None
    referral_id: UUID | None = None
    expires_at: datetime | None = None


async def follow(session: StatementExecutor, visit: Visit) -> Invitation:
    """Write the touch and, unless this visitor has one open, a new invitation.

    Each statement is a transaction by itself, and nearly every click is answered by two.
    """
    for _ in range(ATTEMPTS):
        found = await visits.find(session, visit)
        if found is None:
            return await _refused(session, visit, None, Outcome.UNKNOWN_CODE)
        closed = outcome_if_closed(found.offer.schedule, visit.at)
        if closed is not None:
            return await _refused(session, visit, found.offer, closed)
        invitation = await _known(session, visit, found) or await _new(session, visit, found)
        if invitation is not None:
            return invitation
    raise RuntimeError(f"one visitor's invitation was changed {ATTEMPTS} times by others")


def outcome_if_closed(schedule: Schedule, at: datetime) -> Outcome | None:
    """Why a campaign invites nobody at that time, if so."""
    if schedule.is_open(at):
        return None
    return Outcome.CAMPAIGN_PAUSED if schedule.is_paused(at) else Outcome.CAMPAIGN_ENDED


async def _refused(
    session: StatementExecutor, visit: Visit, offer: Offer | None, outcome: Outcome
) -> Invitation:
    """An unknown code takes a write like a known one, so that time does not tell them apart."""
    campaign = None if offer is None else offer.campaign
    await visits.touch(session, visit, campaign=campaign, refusal=outcome.value)
    return Invitation(outcome, offer)


async def _known(session: StatementExecutor, visit: Visit, found: Found) -> Invitation | None:
    own = found.open
    if own is None:
        return None
    if visit.at >= own.expires_at:
        # Its token is dead, though it still waits for a signup heard late.
        await visits.release_visitor(session, own.referral_id)
        return None
    campaign = found.offer.campaign
    await visits.touch(session, visit, campaign=campaign, referral_id=own.referral_id)
    return Invitation(Outcome.KNOWN, found.offer, own.referral_id, own.expires_at)


async def _new(session: StatementExecutor, visit: Visit, found: Found) -> Invitation | None:
    """None when an equal click was faster."""
    referral_id = await visits.insert_invitation(session, visit, found)
    if referral_id is None:
        return None
    expires_at = visit.at + found.offer.terms.signup_window
    return Invitation(Outcome.NEW, found.offer, referral_id, expires_at)
