"""The decision that a signup belongs to a referral: pure, explained, and the same every time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.intake.facts import Signup


class Method(StrEnum):
    """How a signup is tied to the contact that brought it."""

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
    """Why a signup, or one touch of it, belongs to nobody."""

    NO_TOUCH = "no_touch"
    EXISTING_PLAYER = "existing_player"
    FORGED_TOKEN = "forged_token"
    EXPIRED_TOKEN = "expired_token"
    UNKNOWN_REFERRAL = "unknown_referral"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_ENDED = "campaign_ended"
    CAMPAIGN_PAUSED = "campaign_paused"
    LATE_CODE = "late_code"
    OUTSIDE_WINDOW = "outside_window"
    NOT_ACCEPTED = "not_accepted"
    OUTRANKED = "outranked"
    SUPERSEDED = "superseded"
    ALREADY_EARNED = "already_earned"
    AMBIGUOUS = "ambiguous"
    UNCONFIRMED = "unconfirmed"
    DECLINED = "declined"
    CLICK_INJECTION = "click_injection"
    SELF = "self"


class Pick(StrEnum):
    """Which of several touches of equal rank counts."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Methods of equal rank; a touch counts until `window` before the signup, if there is one."""

    methods: tuple[Method, ...]
    touch: Pick = Pick.LAST
    window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a campaign decides between touches; a method that no step names does not count."""

    order: tuple[Step, ...]
    claim_grace: timedelta = timedelta(hours=24)
    """How long after the signup a code may still be typed."""
    match_window: timedelta = timedelta(hours=2)
    """How long after a click a first open may be matched to it by device and network."""

    def rank_of(self, method: Method) -> int | None:
        """The rank of a method; what support decided outranks all, whatever a campaign says."""
        if method is Method.MANUAL:
            return -1
        # A signal to a referral's own workflow names it as its token does.
        named = Method.REFERRAL_TOKEN if method is Method.SIGNAL else method
        ranks = (rank for rank, step in enumerate(self.order) if named in step.methods)
        return next(ranks, None)


DEFAULT_POLICY: Final = Policy(
    order=(
        Step(methods=(Method.TYPED_CODE,)),
        Step(methods=(Method.REFERRAL_TOKEN, Method.UNIVERSAL_LINK, Method.QR_CODE)),
        Step(methods=(Method.INSTALL_REFERRER,)),
        Step(methods=(Method.CLIPBOARD,)),
        Step(methods=(Method.COOKIE,)),
        Step(methods=(Method.PROBABILISTIC,)),
    )
)

CONFIDENCE: Final = dict.fromkeys(Method, 1.0) | {
    # A device, a clipboard or a browser may have passed to somebody else in the meantime.
    Method.CLIPBOARD: 0.95,
    Method.COOKIE: 0.9,
    Method.PROBABILISTIC: 0.5,
}
RELIABILITY_RANK: Final = {method: rank for rank, method in enumerate(Method)}
"""The lower, the more it says of who brought somebody."""


def weaker(one: Method, other: Method) -> Method:
    """A chain holds as much as its weakest link."""
    return max(one, other, key=RELIABILITY_RANK.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One contact that may have brought a signup, and why it does not count, if so.

    `referral_id` is the open invitation that it continues; without one, binding opens a new
    referral of the same code.
    """

    touch_id: UUID
    method: Method
    at: datetime
    code: str | None = None
    campaign: str | None = None
    referrer_id: str | None = None
    referral_id: UUID | None = None
    is_presented: bool = False
    """The signup itself brought it, as a token of its invitation or as a typed code."""
    confidence: float = 1.0
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The touch that counts, and all of them with what became of each."""

    winner: Touch
    candidates: tuple[Touch, ...]

    @property
    def is_self(self) -> bool:
        """A player's own code: it is bound, so that the fraud rules refuse it on the record."""
        return self.winner.refusal is Refusal.SELF


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattributed:
    reason: Refusal
    candidates: tuple[Touch, ...] = ()


def attribute(
    signup: Signup, touches: Iterable[Touch], policy: Policy
) -> Attribution | Unattributed:
    """The touch of the highest rank that holds; the order in which touches come means nothing."""
    judged = [_judged(signup, touch, policy) for touch in _in_order(touches)]
    winner = _best(policy, [touch for touch in judged if touch.refusal is None])
    winner = winner or _best(policy, [touch for touch in judged if touch.refusal is Refusal.SELF])
    if winner is None:
        return Unattributed(reason=_main_reason(policy, judged), candidates=tuple(judged))
    told = tuple(_mark_outranked(winner, touch) for touch in judged)
    return Attribution(winner=_continue_invitation(winner, judged), candidates=told)


def policy_of_last_touch(touches: Iterable[Touch], policies: Mapping[str, Policy]) -> Policy:
    """That of the campaign that was touched last; the default where none was."""
    touched = [touch for touch in touches if touch.campaign in policies]
    holding = [touch for touch in touched if touch.refusal is None] or touched
    last = max(holding, key=_recency, default=None)
    return policies[last.campaign] if last and last.campaign else DEFAULT_POLICY


def _in_order(touches: Iterable[Touch]) -> list[Touch]:
    return sorted(touches, key=lambda touch: (touch.at, touch.touch_id))


def _recency(touch: Touch) -> tuple[bool, datetime, UUID]:
    """What the signup brought along is a contact at the moment of signing up."""
    return touch.is_presented, touch.at, touch.touch_id


def _judged(signup: Signup, touch: Touch, policy: Policy) -> Touch:
    refusal = touch.refusal or _refusal(signup, touch, policy)
    if refusal is None and touch.referrer_id == signup.player_id:
        refusal = Refusal.SELF
    return replace(touch, refusal=refusal)


def _refusal(signup: Signup, touch: Touch, policy: Policy) -> Refusal | None:
    rank = policy.rank_of(touch.method)
    if rank is None:
        return Refusal.NOT_ACCEPTED
    if touch.method is Method.MANUAL:
        return None
    if touch.method is Method.TYPED_CODE and touch.at > signup.occurred_at + policy.claim_grace:
        return Refusal.LATE_CODE
    window = policy.order[rank].window
    if window is not None and touch.at < signup.occurred_at - window:
        return Refusal.OUTSIDE_WINDOW
    return None


def _best(policy: Policy, touches: list[Touch]) -> Touch | None:
    """Of touches in the order of their times."""
    ranked = [(policy.rank_of(touch.method), touch) for touch in touches]
    top = min((rank for rank, _ in ranked if rank is not None), default=None)
    if top is None:
        return None
    best = [touch for rank, touch in ranked if rank == top]
    if top >= 0 and policy.order[top].touch is Pick.FIRST:
        return best[0]
    return max(best, key=_recency)


def _continue_invitation(winner: Touch, judged: list[Touch]) -> Touch:
    """A code that was typed from a link continues the invitation that the link made."""
    if winner.referral_id is not None:
        return winner
    open_ids = (
        touch.referral_id
        for touch in reversed(judged)
        if touch.code == winner.code and touch.refusal in {None, winner.refusal}
    )
    return replace(winner, referral_id=next((id_ for id_ in open_ids if id_), None))


def _mark_outranked(winner: Touch, touch: Touch) -> Touch:
    loses = touch.refusal is None and touch.touch_id != winner.touch_id
    return replace(touch, refusal=Refusal.OUTRANKED) if loses else touch


def _main_reason(policy: Policy, judged: list[Touch]) -> Refusal:
    """Of several reasons, that of what the signup itself brought, by its rank."""

    def weight(touch: Touch) -> tuple[bool, int, datetime, UUID]:
        rank = policy.rank_of(touch.method)
        place = len(policy.order) if rank is None else rank
        return touch.is_presented, -place, touch.at, touch.touch_id

    if not judged:
        return Refusal.NO_TOUCH
    return max(judged, key=weight).refusal or Refusal.NO_TOUCH
