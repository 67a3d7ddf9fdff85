"""The policy of a campaign: which methods attribute a signup, in which order and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.campaigns.terms import Schedule


class Method(StrEnum):
    """The kind of contact that ties a signup to its referrer."""

    MANUAL = "manual"
    TYPED_CODE = "typed_code"
    REFERRAL_TOKEN = "referral_token"
    UNIVERSAL_LINK = "universal_link"
    QR_CODE = "qr_code"
    SIGNAL = "signal"
    INSTALL_REFERRER = "install_referrer"
    CLIPBOARD = "clipboard"
    COOKIE = "cookie"
    PROBABILISTIC = "probabilistic"


class Refusal(StrEnum):
    """The reason why a signup, or one touch of it, is attributed to nobody."""

    NO_TOUCH = "no_touch"
    EXISTING_PLAYER = "existing_player"
    FORGED_TOKEN = "forged_token"
    EXPIRED_TOKEN = "expired_token"
    UNKNOWN_REFERRAL = "unknown_referral"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_NOT_BEGUN = "campaign_not_begun"
    CAMPAIGN_ENDED = "campaign_ended"
    CAMPAIGN_PAUSED = "campaign_paused"
    SWITCHED_OFF = "switched_off"
    LATE_CODE = "late_code"
    OUTSIDE_WINDOW = "outside_window"
    NOT_ACCEPTED = "not_accepted"
    OUTRANKED = "outranked"
    LOWER_PRIORITY = "lower_priority"
    SUPERSEDED = "superseded"
    ALREADY_EARNED = "already_earned"
    AMBIGUOUS = "ambiguous"
    UNCONFIRMED = "unconfirmed"
    DECLINED = "declined"
    CLICK_INJECTION = "click_injection"
    SELF = "self"


class Pick(StrEnum):
    """The touch that counts among several of equal rank."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Methods of equal rank; a touch counts up to `window` before the signup, if it is set."""

    methods: tuple[Method, ...]
    touch: Pick = Pick.LAST
    window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A campaign's rules for deciding between touches; a method in no tier does not count."""

    order: tuple[Tier, ...]
    claim_grace: timedelta = timedelta(hours=24)
    """Time after the signup within which a code may still be typed."""
    match_window: timedelta = timedelta(hours=2)
    """Time after a click within which a first open may match it by device and network."""

    def rank_of(self, method: Method) -> int | None:
        """Return a method's rank, 0 the highest tier; support's decision outranks them all."""
        if method is Method.MANUAL:
            return -1
        # A signal to a referral's own workflow names it as its token does.
        named = Method.REFERRAL_TOKEN if method is Method.SIGNAL else method
        ranks = (rank for rank, tier in enumerate(self.order) if named in tier.methods)
        return next(ranks, None)

    def rank_or_last(self, method: Method) -> int:
        """Return a method's rank, below all tiers for a method in none."""
        rank = self.rank_of(method)
        return len(self.order) if rank is None else rank


DEFAULT_POLICY: Final = Policy(
    order=(
        Tier(methods=(Method.TYPED_CODE,)),
        Tier(methods=(Method.REFERRAL_TOKEN, Method.UNIVERSAL_LINK, Method.QR_CODE)),
        Tier(methods=(Method.INSTALL_REFERRER,)),
        Tier(methods=(Method.CLIPBOARD,)),
        Tier(methods=(Method.COOKIE,)),
        Tier(methods=(Method.PROBABILISTIC,)),
    )
)

CONFIDENCE_BY_METHOD: Final = dict.fromkeys(Method, 1.0) | {
    # A device, a clipboard or a browser may have passed to somebody else in the meantime.
    Method.CLIPBOARD: 0.95,
    Method.COOKIE: 0.9,
    Method.PROBABILISTIC: 0.5,
}
RELIABILITY_RANK: Final = {method: rank for rank, method in enumerate(Method)}
"""Methods by how reliably they name the referrer; 0 is the most reliable."""


def refusal_of_schedule(schedule: Schedule, *, at: datetime) -> Refusal | None:
    """Return why a campaign attributes nobody at a time, past or present; None while it is open."""
    if schedule.is_open(at):
        return None
    if schedule.begins_after(at):
        return Refusal.CAMPAIGN_NOT_BEGUN
    return Refusal.CAMPAIGN_PAUSED if schedule.is_paused(at) else Refusal.CAMPAIGN_ENDED


def weaker_method(one: Method, other: Method) -> Method:
    """Return the less reliable of two methods: a chain holds as much as its weakest link."""
    return max(one, other, key=RELIABILITY_RANK.__getitem__)
