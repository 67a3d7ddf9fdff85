"""The log of attribution: what was decided of each attempt and why, written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import insert, select

from db.engine import ReadSession, Session
from db.tables import AttemptRow
from domain.attribution.policy import Attribution, Method, Refusal, Touch, Unattributed, attribute
from domain.intake.facts import Signup
from referrals.attribution.gather import GatheredTouches
from referrals.campaigns.versions import policy_from, policy_json

BOUND: Final = "bound"
REBOUND: Final = "rebound"
SELF: Final = "self"
KNOWN: Final = "known"
WAITING: Final = "waiting"
WON: Final = "won"
ATTRIBUTED: Final = (BOUND, REBOUND, SELF)
"""Outcomes after which the player has a referral; of a signup, that is."""
PLAYER_REFUSALS: Final = (Refusal.EXISTING_PLAYER, Refusal.ALREADY_EARNED)
"""Why even the touch that the policy prefers binds nobody."""

_TOUCH: Final = TypeAdapter(Touch)


class Attempt(StrEnum):
    """What asked for an attribution."""

    SIGNUP = "signup"
    CLAIM = "claim"
    CONFIRM = "confirm"
    RESOLVE = "resolve"
    REBIND = "rebind"


class Way(StrEnum):
    """How a signup was heard; refused in one way, it may still be bound in the other.

    The value is added to the event's id, in which no door allows this sign.
    """

    DOOR = ""
    SIGNAL = "#signal"


@dataclass(frozen=True, slots=True)
class Binding:
    """What was decided of an attempt; `outcome` is 'bound' or why nobody is bound by it."""

    outcome: str
    referral_id: UUID | None = None
    is_new: bool = False
    """Bound just now, with all that its player had done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One attempt, on its way into the log."""

    attempt_id: str
    attempt: Attempt = Attempt.SIGNUP
    player_id: str | None = None
    actor: str | None = None
    reason: str | None = None


async def decided(session: ReadSession, event_id: str, way: Way) -> Binding | None:
    """The binding, in whatever way it came about, or what this way was answered before."""
    ids = [event_id + other for other in Way]
    query = select(AttemptRow).where(AttemptRow.attempt_id.in_(ids))
    known = {row.attempt_id: row for row in await session.scalars(query)}
    bound = next((row for row in known.values() if row.outcome in ATTRIBUTED), None)
    row = bound or known.get(event_id + way)
    return Binding(row.outcome, row.referral_id) if row else None


async def find_referral_bound_by_signal(session: ReadSession, event_id: str) -> UUID | None:
    """The referral that a signup was bound to because its workflow was signalled."""
    row = await session.get(AttemptRow, event_id + Way.SIGNAL)
    won = [told["method"] for told in row.touches if told["won"]] if row else []
    return row.referral_id if row and won == [Method.SIGNAL] else None


async def log(
    session: Session,
    entry: Entry,
    binding: Binding,
    *,
    signup: Signup | None = None,
    found: GatheredTouches | None = None,
) -> Binding:
    """Write what was decided, with the touches and the policy that it was decided from."""
    found = found or GatheredTouches()
    touches = found.touches
    verdict = attribute(signup, touches, found.policy) if signup and touches else None
    await session.execute(
        insert(AttemptRow).values(
            attempt_id=entry.attempt_id,
            attempt=entry.attempt,
            player_id=entry.player_id,
            outcome=binding.outcome,
            referral_id=binding.referral_id,
            signed_up_at=signup and signup.occurred_at,
            claims=[],
            touches=[_told(touch, verdict, binding) for touch in touches],
            policy=policy_json(found.policy) if touches else {},
            actor=entry.actor,
            reason=entry.reason,
        )
    )
    return binding


def replay_decision(row: AttemptRow, signup: Signup) -> Attribution | Unattributed:
    """The same decision from what was written then."""
    return attribute(signup, touches_of(row), policy_from(row.policy))


def agrees(row: AttemptRow, verdict: Attribution | Unattributed) -> bool:
    """Whether a decision made again comes to what is written of each touch, and of them all."""
    binding = Binding(row.outcome, row.referral_id)
    again = [_told(touch, verdict, binding) for touch in touches_of(row)]
    # Only what was decided: how a touch is written may change with a release.
    same = [_decision(told) for told in row.touches] == [_decision(told) for told in again]
    if not has_attributed(row):
        return same
    return same and isinstance(verdict, Attribution) and verdict.is_self is (row.outcome == SELF)


def _decision(told: Mapping[str, Any]) -> tuple[Any, ...]:
    return told["touch_id"], told["won"], told.get("outcome")


def has_attributed(row: AttemptRow) -> bool:
    """A signup binds a player to their own code, for the record; nothing said later does."""
    return row.outcome in ATTRIBUTED and (row.outcome != SELF or row.attempt == Attempt.SIGNUP)


def touches_of(row: AttemptRow) -> Sequence[Touch]:
    """As they were before they were judged."""
    return [_TOUCH.validate_python(told) for told in row.touches]


def _told(
    touch: Touch, verdict: Attribution | Unattributed | None, binding: Binding
) -> dict[str, Any]:
    """The touch, whether the policy prefers it, and what became of it."""
    plain: dict[str, Any] = _TOUCH.dump_python(touch, mode="json", exclude_none=True)
    if isinstance(verdict, Attribution) and verdict.winner.touch_id == touch.touch_id:
        of_player = binding.outcome if binding.outcome in PLAYER_REFUSALS else None
        outcome = of_player or (SELF if verdict.is_self else WON)
        return plain | {"won": True, "outcome": outcome}
    judged = {one.touch_id: one.refusal for one in verdict.candidates} if verdict else {}
    return plain | {"won": False, "outcome": judged.get(touch.touch_id) or touch.refusal}
