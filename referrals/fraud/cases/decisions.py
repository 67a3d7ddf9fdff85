"""Decisions on cases: each flows to the open reviews of the case's referrals, as if made there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.engine import Session
from db.tables import CaseRow, Review
from domain.fraud.cases import CaseChoice, CaseKind, CaseStatus, SecondPersonLimits
from domain.fraud.lists import ListedKind, ListName
from domain.intake.facts import Choice, Decision
from referrals.access.audit import Actor
from referrals.fraud import lists, reviews
from referrals.fraud.cases import clawbacks, deliveries
from referrals.fraud.cases.claims import CaseOutcome, refusal_of, write_audit
from referrals.fraud.cases.second_person import needs_second_person, needs_second_rejection
from referrals.fraud.cases.standing import settle
from referrals.fraud.cases.store import lock_case, lock_open_reviews, referred_players
from referrals.fraud.cases.versions import versions_of
from referrals.fraud.lists import NewEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecision:
    """A reviewer's choice, until when an EXTEND postpones the case, and the version they read."""

    choice: CaseChoice
    until: datetime | None = None
    version: str | None = None
    """Version of the case that was read; None where the caller does not say."""


async def decide(
    session: Session,
    case_id: UUID,
    decision: CaseDecision,
    actor: Actor,
    *,
    limits: SecondPersonLimits,
    now: datetime,
) -> CaseOutcome:
    """Decide or postpone a case under its lock; of two decisions at once, the first one counts.

    The same decision again returns SAME and changes nothing; one about another version than the
    case has by now returns VERSION_CHANGED. An approval whose held rewards are
    above the limits counts when a second person has given it, and so does a rejection that takes
    back as much. Where everything was credited before, a rejection denies the players, so that
    later rewards of theirs wait for a person; that of a late link takes the rewards back.
    """
    case = await lock_case(session, case_id)
    refusal = await refusal_of(session, case, actor, now=now)
    if case is not None and refusal is None and await _is_changed(session, case, decision):
        refusal = CaseOutcome.VERSION_CHANGED
    if case is None or refusal is not None:
        is_same = case is not None and _is_same(case, decision)
        is_repeat = refusal is CaseOutcome.ALREADY_DECIDED and is_same
        return CaseOutcome.SAME if is_repeat else refusal or CaseOutcome.UNKNOWN
    if decision.choice is CaseChoice.EXTEND:
        return await _extend(session, case, decision, actor)
    open_reviews = await lock_open_reviews(session, case)
    if case.kind is CaseKind.HELD and not open_reviews:
        return await _explain_settled(session, case, decision)
    if decision.choice is CaseChoice.APPROVE and await needs_second_person(
        session, f"case:{case.id}", open_reviews, actor, limits=limits, at=now
    ):
        await write_audit(session, case, actor, "first_approval")
        return CaseOutcome.SECOND_PERSON_REQUIRED
    if decision.choice is CaseChoice.REJECT and await needs_second_rejection(
        session, case, actor, limits=limits, at=now
    ):
        await write_audit(session, case, actor, "first_rejection")
        return CaseOutcome.SECOND_PERSON_REQUIRED
    await _decide(session, case, open_reviews, Choice(decision.choice), actor, now=now)
    return CaseOutcome.CHANGED


async def _is_changed(session: Session, case: CaseRow, decision: CaseDecision) -> bool:
    """Return whether a case is another than the one that was read; its reviews stay locked."""
    if decision.version is None:
        return False
    await lock_open_reviews(session, case)
    return (await versions_of(session, [case.id])).get(case.id) != decision.version


async def _extend(
    session: Session, case: CaseRow, decision: CaseDecision, actor: Actor
) -> CaseOutcome:
    if decision.until is None:
        raise ValueError("an extension says until when")
    case.due_at = decision.until
    await write_audit(session, case, actor, "extend", until=decision.until.isoformat())
    await deliveries.enqueue(session, [case.id])
    return CaseOutcome.CHANGED


async def _explain_settled(session: Session, case: CaseRow, decision: CaseDecision) -> CaseOutcome:
    """End a case whose reviews were all decided or closed before its workflow has seen it."""
    await settle(session, case)
    await deliveries.enqueue(session, [case.id])
    if case.decision is None:
        return CaseOutcome.CLOSED
    return CaseOutcome.SAME if _is_same(case, decision) else CaseOutcome.ALREADY_DECIDED


async def _decide(
    session: Session,
    case: CaseRow,
    open_reviews: Sequence[Review],
    choice: Choice,
    actor: Actor,
    *,
    now: datetime,
) -> None:
    for review in open_reviews:
        decided = Decision(
            event_id=f"review:{review.id}",
            occurred_at=now,
            reviewer=actor.name,
            decision=choice,
            reason=actor.reason,
        )
        await reviews.apply(session, review.id, decided, request_id=actor.request_id)
    if choice is Choice.REJECT and case.kind is not CaseKind.HELD:
        await _deny_players(session, case, actor)
    taken_back: list[UUID] = []
    if choice is Choice.REJECT and clawbacks.takes_back(case):
        taken_back = await clawbacks.record(session, case, actor, at=now)
    case.status, case.decision = CaseStatus.DECIDED, choice
    case.decided_by, case.reason, case.decided_at = actor.name, actor.reason, now
    case.claimed_by = case.claimed_until = None
    details = {"takes_back": [str(id_) for id_ in taken_back]} if taken_back else {}
    await write_audit(session, case, actor, choice, **details)
    await deliveries.enqueue(session, [case.id])


async def _deny_players(session: Session, case: CaseRow, actor: Actor) -> None:
    for player_id in sorted(await referred_players(session, case)):
        entry = NewEntry(
            list_name=ListName.DENY,
            kind=ListedKind.PLAYER,
            value=player_id,
            keys=((ListedKind.PLAYER, player_id),),
            expires_at=None,
        )
        await lists.add_for_good(session, entry, actor)


def _is_same(case: CaseRow, decision: CaseDecision) -> bool:
    return case.decision is not None and case.decision.value == decision.choice.value
