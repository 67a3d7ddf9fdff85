"""The decision which touch attributes a signup, as a pure function of the touches and a policy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.attribution.policy import DEFAULT_POLICY, Method, Pick, Policy, Refusal
from domain.intake.facts import Signup


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
    priority: int | None = None
    """The priority of its campaign, where several campaigns apply."""
    is_presented: bool = False
    """True if the signup itself presents it, as the token of its invitation or a typed code."""
    confidence: float = 1.0
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The touch that wins a signup, and all of its touches, each with its refusal."""

    winner: Touch
    judged: tuple[Touch, ...]

    @property
    def is_self(self) -> bool:
        """True for the player's own code: it is bound, so that fraud rules refuse it on record."""
        return self.winner.refusal is Refusal.SELF


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattributed:
    """The main reason why nothing wins a signup, and all of its touches with their refusals."""

    reason: Refusal
    judged: tuple[Touch, ...] = ()


AttributionDecision = Attribution | Unattributed


def attribute(signup: Signup, touches: Iterable[Touch], policy: Policy) -> AttributionDecision:
    """Pick the touch of the highest rank that is not refused.

    Where several campaigns apply, the one of the largest priority goes first, whatever the rank;
    support's decision outranks all. The order in which touches are given makes no difference.
    """
    judged = [_judge(signup, touch, policy) for touch in _in_order(touches)]
    applying = [touch for touch in judged if touch.refusal is None]
    winner = _pick_winner(policy, _of_largest_priority(applying))
    winner = winner or _pick_winner(policy, [t for t in judged if t.refusal is Refusal.SELF])
    if winner is None:
        return Unattributed(reason=_main_reason(policy, judged), judged=tuple(judged))
    outranked = tuple(_mark_outranked(winner, touch) for touch in judged)
    return Attribution(winner=_continue_invitation(winner, judged), judged=outranked)


def policy_of_last_touch(touches: Iterable[Touch], policies: Mapping[str, Policy]) -> Policy:
    """Return the policy of the campaign touched last; the default where no touch has one."""
    touched = [touch for touch in touches if touch.campaign in policies]
    holding = [touch for touch in touched if touch.refusal is None] or touched
    holding = _of_largest_priority(holding)
    last = max(holding, key=_recency, default=None)
    return policies[last.campaign] if last and last.campaign else DEFAULT_POLICY


def _in_order(touches: Iterable[Touch]) -> list[Touch]:
    return sorted(touches, key=lambda touch: (touch.at, touch.touch_id))


def _recency(touch: Touch) -> tuple[bool, datetime, UUID]:
    """Return a sort key: a presented touch is a contact at the moment of signing up."""
    return touch.is_presented, touch.at, touch.touch_id


def _judge(signup: Signup, touch: Touch, policy: Policy) -> Touch:
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


def _of_largest_priority(touches: list[Touch]) -> list[Touch]:
    if any(touch.method is Method.MANUAL for touch in touches):
        return touches
    largest = max((touch.priority or 0 for touch in touches), default=0)
    return [touch for touch in touches if (touch.priority or 0) == largest]


def _pick_winner(policy: Policy, touches: list[Touch]) -> Touch | None:
    """Pick among touches in the order of their times."""
    ranked = [(policy.rank_of(touch.method), touch) for touch in touches]
    top = min((rank for rank, _ in ranked if rank is not None), default=None)
    if top is None:
        return None
    best = [touch for rank, touch in ranked if rank == top]
    if top >= 0 and policy.order[top].touch is Pick.FIRST:
        return best[0]
    return max(best, key=_recency)


def _continue_invitation(winner: Touch, judged: list[Touch]) -> Touch:
    """Let a code typed from a link continue the invitation that the link opened."""
    if winner.referral_id is not None:
        return winner
    open_ids = (
        touch.referral_id
        for touch in reversed(judged)
        if touch.code == winner.code and touch.refusal in {None, winner.refusal}
    )
    return replace(winner, referral_id=next((id_ for id_ in open_ids if id_), None))


def _mark_outranked(winner: Touch, touch: Touch) -> Touch:
    if touch.refusal is not None or touch.touch_id == winner.touch_id:
        return touch
    is_lower = (touch.priority or 0) < (winner.priority or 0)
    return replace(touch, refusal=Refusal.LOWER_PRIORITY if is_lower else Refusal.OUTRANKED)


def _main_reason(policy: Policy, judged: list[Touch]) -> Refusal:
    """Return the refusal of the presented touch of the highest rank, or of the best other one."""

    def weight(touch: Touch) -> tuple[bool, int, datetime, UUID]:
        return touch.is_presented, -policy.rank_or_last(touch.method), touch.at, touch.touch_id

    if not judged:
        return Refusal.NO_TOUCH
    return max(judged, key=weight).refusal or Refusal.NO_TOUCH
