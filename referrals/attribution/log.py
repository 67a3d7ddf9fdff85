"""The attribution log: each attempt with its result and all that it was decided from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from db.engine import ReadSession, Session
from db.tables import AttemptRow
from domain.attribution.decision import Attribution, AttributionDecision, Touch, attribute
from domain.attribution.policy import Method, Refusal
from domain.intake.facts import Signup
from referrals.attribution.gather import GatheredTouches
from referrals.campaigns.versions import policy_from, policy_json

BOUND: Final = "bound"
REBOUND: Final = "rebound"
SELF: Final = "self"
ALREADY_BOUND: Final = "known"
WAITING: Final = "waiting"
WON: Final = "won"
ATTRIBUTED_OUTCOMES: Final = (BOUND, REBOUND, SELF)
"""Outcomes of a signup's attempt after which its player has a referral."""
ACCEPTED_OUTCOMES: Final = (BOUND, REBOUND, ALREADY_BOUND)
"""Outcomes of a claim after which its player is bound to the claimed code."""
PLAYER_REFUSALS: Final = (Refusal.EXISTING_PLAYER, Refusal.ALREADY_EARNED)
"""Refusals of the player, whatever touch the policy prefers."""

_TOUCH: Final = TypeAdapter(Touch)
_RESULTS: Final = text("""
    select signup_event_id as attempt_id, outcome, referral_id from attributions
     where signup_event_id = any(cast(:ids as varchar[]))
""")
_RECORD: Final = text("""
    insert into attributions (signup_event_id, attempt, player_id, outcome, referral_id,
                              signed_up_at, touches, policy, actor, reason)
    values (:attempt_id, :attempt, :player_id, :outcome, :referral_id,
            :signed_up_at, :touches, :policy, :actor, :reason)
""").bindparams(bindparam("touches", type_=JSONB), bindparam("policy", type_=JSONB))


class AttemptKind(StrEnum):
    """The kind of event or request that asked for an attribution."""

    SIGNUP = "signup"
    CLAIM = "claim"
    CONFIRM = "confirm"
    RESOLVE = "resolve"
    REBIND = "rebind"


class SignupDoor(StrEnum):
    """The door a signup came through; refused through one, it may be bound through the other.

    The value is appended to the event's id; no door accepts an id with this sign.
    """

    EVENT = ""
    SIGNAL = "#signal"


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of an attempt; `outcome` is 'bound' or why nobody is bound by it."""

    outcome: str
    referral_id: UUID | None = None
    is_new: bool = False
    """True if this attempt bound the referral, rather than an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionAttempt:
    """One attempt to attribute a player or to resolve an app's first open."""

    attempt_id: str
    kind: AttemptKind = AttemptKind.SIGNUP
    player_id: str | None = None
    actor: str | None = None
    reason: str | None = None


def attempt_id_of(kind: AttemptKind, id_: UUID) -> str:
    """Return the id of an attempt other than a signup's, whose id is its event's."""
    return f"{kind}:{id_}"


async def find_result(
    session: ReadSession, event_id: str, door: SignupDoor
) -> AttemptResult | None:
    """Return the result that bound a signup through any door, or else this door's earlier one."""
    ids = [event_id + each for each in SignupDoor]
    known = {row.attempt_id: row for row in await session.execute(_RESULTS, {"ids": ids})}
    bound = next((row for row in known.values() if row.outcome in ATTRIBUTED_OUTCOMES), None)
    row = bound or known.get(event_id + door)
    return AttemptResult(row.outcome, row.referral_id) if row else None


async def find_referral_bound_by_signal(session: ReadSession, event_id: str) -> UUID | None:
    """Return the referral that a signup was bound to because its workflow was signalled."""
    row = await session.get(AttemptRow, event_id + SignupDoor.SIGNAL)
    won = [touch_json["method"] for touch_json in row.touches if touch_json["won"]] if row else []
    return row.referral_id if row and won == [Method.SIGNAL] else None


async def record_attempt(
    session: Session,
    attempt: AttributionAttempt,
    result: AttemptResult,
    *,
    signup: Signup | None = None,
    gathered: GatheredTouches | None = None,
    decision: AttributionDecision | None = None,
) -> None:
    """Insert an attempt with its touches, the policy, and what the decision made of each touch."""
    gathered = gathered or GatheredTouches()
    values = {
        "attempt_id": attempt.attempt_id,
        "attempt": attempt.kind,
        "player_id": attempt.player_id,
        "outcome": result.outcome,
        "referral_id": result.referral_id,
        "signed_up_at": signup and signup.occurred_at,
        "touches": _touches_json(gathered.touches, decision, result),
        "policy": policy_json(gathered.policy) if gathered.touches else {},
        "actor": attempt.actor,
        "reason": attempt.reason,
    }
    await session.execute(_RECORD, values)


def replay_decision(row: AttemptRow, signup: Signup) -> AttributionDecision:
    """Decide an attempt again from its stored touches and policy."""
    return attribute(signup, logged_touches(row), policy_from(row.policy))


def agrees_with_log(row: AttemptRow, decision: AttributionDecision) -> bool:
    """Return whether a replayed decision equals the stored one, touch by touch and as a whole."""
    result = AttemptResult(row.outcome, row.referral_id)
    again = _touches_json(logged_touches(row), decision, result)
    # Only what was decided: how a touch is written may change with a release.
    is_same = list(map(_decided_parts, row.touches)) == list(map(_decided_parts, again))
    if not has_attributed(row):
        return is_same
    is_self = row.outcome == SELF
    return is_same and isinstance(decision, Attribution) and decision.is_self is is_self


def _decided_parts(touch_json: Mapping[str, Any]) -> tuple[Any, ...]:
    return touch_json["touch_id"], touch_json["won"], touch_json.get("outcome")


def has_attributed(row: AttemptRow) -> bool:
    """Return whether an attempt bound its player.

    Only a signup's attempt binds a player to their own code, for the record.
    """
    is_signup = row.attempt == AttemptKind.SIGNUP
    return row.outcome in ATTRIBUTED_OUTCOMES and (row.outcome != SELF or is_signup)


def logged_touches(row: AttemptRow) -> Sequence[Touch]:
    """Return an attempt's touches as they were before the decision."""
    return [_TOUCH.validate_python(touch_json) for touch_json in row.touches]


def _touches_json(
    touches: Sequence[Touch], decision: AttributionDecision | None, result: AttemptResult
) -> list[dict[str, Any]]:
    """Return touches as they are stored: with `won`, whether the policy prefers it, and an outcome.

    Without a decision, the outcome is the touch's own refusal. A code that nobody has may be a
    name or a phone number, and is not kept.
    """
    refusals = {one.touch_id: one.refusal for one in decision.judged} if decision else {}
    winner = decision.winner.touch_id if isinstance(decision, Attribution) else None
    written: list[dict[str, Any]] = []
    for touch in touches:
        plain: dict[str, Any] = _TOUCH.dump_python(touch, mode="json", exclude_none=True)
        if touch.refusal is Refusal.UNKNOWN_CODE:
            plain.pop("code", None)
        if isinstance(decision, Attribution) and touch.touch_id == winner:
            plain |= {"won": True, "outcome": _outcome_of_winner(decision, result)}
        else:
            plain |= {"won": False, "outcome": refusals.get(touch.touch_id) or touch.refusal}
        written.append(plain)
    return written


def _outcome_of_winner(decision: Attribution, result: AttemptResult) -> str:
    of_player = result.outcome if result.outcome in PLAYER_REFUSALS else None
    return of_player or (SELF if decision.is_self else WON)
