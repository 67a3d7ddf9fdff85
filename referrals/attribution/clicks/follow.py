"""Clicks: a visitor follows a code, and has one open invitation of it at a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.attribution.policy import Refusal
from domain.lifecycle.referral import token_expires_at
from referrals.attribution.clicks import statements
from referrals.attribution.clicks.batching import ClickStore
from referrals.attribution.clicks.followed_codes import Click, FollowedCode
from referrals.attribution.touches import record_touch
from referrals.campaigns.offers import Offer, refusal_of_offer

MAX_TRIES: Final = 5
"""Reads of one click: an equal click at the same time, or an expired invitation, costs a second."""


class ClickOutcome(StrEnum):
    """The outcome of following a code."""

    NEW = "new"
    KNOWN = "known"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_NOT_BEGUN = "campaign_not_begun"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ENDED = "campaign_ended"
    SWITCHED_OFF = "switched_off"


@dataclass(frozen=True, slots=True)
class ClickResult:
    """The result of a click; without a referral when the code leads nowhere."""

    outcome: ClickOutcome
    offer: Offer | None = None
    referral_id: UUID | None = None
    expires_at: datetime | None = None
    """The end of the invitation's token."""


async def follow_code(clicks: ClickStore, click: Click) -> ClickResult:
    """Record a click's touch and, unless its visitor has one open, a new invitation.

    Nearly every click takes part in two statements. With `ClickBatches` each commits by itself; on
    a session the caller commits. Raises RuntimeError when other clicks of the visitor interfere
    with every one of `MAX_TRIES` tries.
    """
    for _ in range(MAX_TRIES):
        followed = await clicks.find(click)
        if followed is None:
            return await _record_refused_click(clicks, click, None, ClickOutcome.UNKNOWN_CODE)
        closed = outcome_if_closed(followed.offer, at=click.at)
        if closed is not None:
            return await _record_refused_click(clicks, click, followed.offer, closed)
        result = await _continue_invitation(clicks, click, followed)
        result = result or await _open_invitation(clicks, click, followed)
        if result is not None:
            return result
    raise RuntimeError(f"one visitor's invitation was changed {MAX_TRIES} times by others")


def outcome_if_closed(offer: Offer, *, at: datetime) -> ClickOutcome | None:
    """Return why an offer invites nobody at a time, or None while it is open."""
    refusal = refusal_of_offer(offer, at=at)
    return None if refusal is None else ClickOutcome(refusal.value)


async def _record_refused_click(
    clicks: ClickStore, click: Click, offer: Offer | None, outcome: ClickOutcome
) -> ClickResult:
    # An unknown code takes a write, too, so that it is not answered sooner than a known one. How
    # many codes an address may try is bounded by the limit of misses.
    campaign = None if offer is None else offer.campaign
    touch = statements.touch_of(click, campaign=campaign, refusal=Refusal(outcome.value))
    async with clicks.executor() as session:
        await record_touch(session, touch)
    return ClickResult(outcome, offer)


async def _continue_invitation(
    clicks: ClickStore, click: Click, followed: FollowedCode
) -> ClickResult | None:
    """Record a click of the visitor's open invitation; None if there is none, or it has expired."""
    open_invitation = followed.invitation
    if open_invitation is None:
        return None
    referral_id, expires_at = open_invitation.referral_id, open_invitation.expires_at
    if click.at >= expires_at:
        # Its token is dead, though it still waits for a signup reported late.
        async with clicks.executor() as session:
            await statements.release_visitor(session, referral_id)
        return None
    async with clicks.executor() as session:
        await statements.insert_repeated_click(session, click, followed, open_invitation)
    return ClickResult(ClickOutcome.KNOWN, followed.offer, referral_id, expires_at)


async def _open_invitation(
    clicks: ClickStore, click: Click, followed: FollowedCode
) -> ClickResult | None:
    """Open an invitation; None if an equal click was faster."""
    referral_id = await clicks.invite(click, followed)
    if referral_id is None:
        return None
    expires_at = token_expires_at(click.at, followed.offer.terms)
    return ClickResult(ClickOutcome.NEW, followed.offer, referral_id, expires_at)
