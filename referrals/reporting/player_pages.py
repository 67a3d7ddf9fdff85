"""Content of a player's own page: codes, friends by neutral stage, and what was earned."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from db.engine import ReadSession
from db.paging import PageRequest
from db.tables import Reward
from domain.campaigns.limits.decision import LimitOf
from domain.campaigns.limits.periods import TaxYearStart
from domain.intake.facts import FactKind, Signup, StatusChange
from domain.money import RewardKind
from domain.rewards.eligibility import eligibility
from domain.rewards.reward import RewardStatus
from referrals.campaigns import limits, offers
from referrals.campaigns.limits import Allowance
from referrals.campaigns.offers import Offer
from referrals.intake import facts
from referrals.localisation.formats import Sum
from referrals.notifications.preferences import find_preferences
from referrals.reporting import referral_views
from referrals.reporting.referral_views import ReferralFilter, ReferralView

MAX_FRIENDS: Final = 50
"""Latest invitations that the page shows."""


_SHOWN: Final = (RewardStatus.ISSUED, RewardStatus.HELD, RewardStatus.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerPage:
    """Content of the page; the views of referrals hold more, which is never shown."""

    offers: tuple[Offer, ...]
    """Codes that bring somebody today."""
    invited: tuple[ReferralView, ...]
    """The latest invitations, newest first."""
    allowances: Mapping[str, tuple[Allowance, ...]]
    """Limits of the campaign's rewards to this player, by code; empty for a code without any."""
    earned: tuple[Sum, ...]
    """Credited rewards without what was taken back, one sum per currency."""
    expected: tuple[Sum, ...]
    """Rewards that are held or postponed, one sum per currency."""
    earned_bonus: tuple[Sum, ...]
    expected_bonus: tuple[Sum, ...]
    """The same of bonus bets, which are in neither of the sums above."""
    locale: str | None
    """From the preferences, else from the signup."""
    time_zone: str | None
    """IANA name from the preferences; None is the default."""
    is_excluded: bool
    """True for a player who excluded themselves or is closed: nothing is advertised to them."""


async def load_page(
    session: ReadSession, player_id: str, *, at: datetime, tax_year_start: TaxYearStart
) -> PlayerPage:
    known = await facts.facts_of_players(session, [player_id], FactKind.SIGNUP, FactKind.PLAYER)
    state = eligibility([fact for fact in known if isinstance(fact, StatusChange)])
    signup = next((fact for fact in known if isinstance(fact, Signup)), None)
    preferences = await find_preferences(session, player_id)
    invited = await referral_views.list_referrals(
        session, ReferralFilter(referrer_id=player_id), PageRequest(limit=MAX_FRIENDS)
    )
    theirs = await offers.offers_of_player(session, player_id)
    shown = tuple(o for o in theirs if offers.refusal_of_offer(o, at=at) is None)
    sums = await _sums(session, player_id)
    return PlayerPage(
        offers=shown,
        allowances={
            offer.code: await _allowances(session, offer, at=at, tax_year_start=tax_year_start)
            for offer in shown
        },
        invited=tuple(invited.items),
        earned=sums[RewardKind.CASH, True],
        expected=sums[RewardKind.CASH, False],
        earned_bonus=sums[RewardKind.BONUS_BET, True],
        expected_bonus=sums[RewardKind.BONUS_BET, False],
        locale=preferences.locale or (signup.locale if signup else None),
        time_zone=preferences.time_zone,
        is_excluded=state.is_excluded or state.is_closed,
    )


async def _allowances(
    session: ReadSession, offer: Offer, *, at: datetime, tax_year_start: TaxYearStart
) -> tuple[Allowance, ...]:
    """Return what the campaign's limits of one referrer leave; those of everybody are not shown."""
    if not any(limit.of is LimitOf.REFERRER for limit in offer.terms.rules.limits):
        return ()
    found = await limits.allowances(
        session, offer.campaign, offer.player_id, at=at, tax_year_start=tax_year_start
    )
    return tuple(one for one in found or () if one.limit.of is LimitOf.REFERRER)


async def _sums(
    session: ReadSession, player_id: str
) -> Mapping[tuple[RewardKind, bool], tuple[Sum, ...]]:
    """Return the sums by currency, of each kind, of what is credited and of what is on its way."""
    is_earned = Reward.status == RewardStatus.ISSUED
    total = func.sum(func.coalesce(Reward.due_minor, Reward.amount_minor))
    rows = await session.execute(
        select(Reward.kind, is_earned, Reward.currency, total)
        .where(Reward.player_id == player_id, Reward.status.in_(_SHOWN))
        .group_by(Reward.kind, is_earned, Reward.currency)
        .order_by(Reward.currency)
    )
    found: defaultdict[tuple[RewardKind, bool], tuple[Sum, ...]] = defaultdict(tuple)
    for kind, earned, currency, minor in rows:
        if minor:
            found[kind or RewardKind.CASH, earned] += (Sum(int(minor), currency),)
    return found
