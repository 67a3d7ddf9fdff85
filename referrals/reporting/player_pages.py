"""Content of a player's own page: codes, friends by neutral stage, and what was earned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from db.engine import ReadSession
from db.paging import PageRequest
from db.tables import Reward
from domain.intake.facts import FactKind, Signup, StatusChange
from domain.rewards.eligibility import eligibility
from domain.rewards.reward import RewardStatus
from referrals.campaigns import offers
from referrals.campaigns.offers import Offer
from referrals.intake import facts
from referrals.localisation.formats import Sum
from referrals.notifications.preferences import find_preferences
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter, ReferralView

MAX_FRIENDS: Final = 50
"""Latest invitations that the page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerPage:
    """Content of the page; the views of referrals hold more, which is never shown."""

    offers: tuple[Offer, ...]
    """Codes that bring somebody today."""
    invited: tuple[ReferralView, ...]
    """The latest invitations, newest first."""
    earned: tuple[Sum, ...]
    """Credited rewards without what was taken back, one sum per currency."""
    expected: tuple[Sum, ...]
    """Rewards that are held or postponed, one sum per currency."""
    locale: str | None
    """From the preferences, else from the signup."""
    time_zone: str | None
    """IANA name from the preferences; None is the default."""
    is_excluded: bool
    """True for a player who excluded themselves or is closed: nothing is advertised to them."""


async def load_page(session: ReadSession, player_id: str, *, at: datetime) -> PlayerPage:
    known = await facts.facts_of_players(session, [player_id], FactKind.SIGNUP, FactKind.PLAYER)
    state = eligibility([fact for fact in known if isinstance(fact, StatusChange)])
    signup = next((fact for fact in known if isinstance(fact, Signup)), None)
    preferences = await find_preferences(session, player_id)
    invited = await referral_views.list_referrals(
        session, ReferralFilter(referrer_id=player_id), PageRequest(limit=MAX_FRIENDS)
    )
    theirs = await offers.offers_of_player(session, player_id)
    return PlayerPage(
        offers=tuple(o for o in theirs if offers.refusal_of_offer(o, at=at) is None),
        invited=tuple(invited.items),
        earned=await _sums(session, player_id, RewardStatus.ISSUED),
        expected=await _sums(session, player_id, RewardStatus.HELD, RewardStatus.DEFERRED),
        locale=preferences.locale or (signup.locale if signup else None),
        time_zone=preferences.time_zone,
        is_excluded=state.is_excluded or state.is_closed,
    )


async def _sums(session: ReadSession, player_id: str, *statuses: RewardStatus) -> tuple[Sum, ...]:
    rows = await session.execute(
        select(Reward.currency, func.sum(func.coalesce(Reward.due_minor, Reward.amount_minor)))
        .where(Reward.player_id == player_id, Reward.status.in_(statuses))
        .group_by(Reward.currency)
        .order_by(Reward.currency)
    )
    return tuple(Sum(int(minor), currency) for currency, minor in rows if minor)
