"""Checks that need the pure core or each row's content: they compute again what was decided."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select

from db.engine import ReadSession
from db.tables import Erasure, FactRow
from domain.privacy import ERASED
from referrals.attribution import log_views
from referrals.intake.facts import fingerprint_of
from referrals.verification.due_check import find_undue
from referrals.verification.eligibility_check import find_ineligible_credits
from referrals.verification.invariant import Scope
from referrals.verification.limit_check import find_unlimited
from referrals.verification.stage_check import find_disagreeing

BATCH_ROWS: Final = 500
"""Rows held in memory at a time."""


@dataclass(frozen=True, slots=True)
class FactCheck:
    """A rule that must always hold; `find` returns the ids of the rows that break it."""

    name: str
    sentence: str
    find: Callable[[ReadSession, Scope], Awaitable[list[str]]]


async def _find_forged(session: ReadSession, scope: Scope) -> list[str]:
    query = select(FactRow.kind, FactRow.event_id, FactRow.body, FactRow.fingerprint)
    erasure = exists().where(Erasure.player_id == FactRow.player_id)
    is_let_go = FactRow.let_go_at.is_not(None)
    query = query.where(~((FactRow.fingerprint == ERASED) & (erasure | is_let_go)))
    if scope.changes is not None:
        query = query.where(FactRow.heard_at >= scope.changes.since)
    rows = await session.stream(query.execution_options(yield_per=BATCH_ROWS))
    return [
        f"{row.kind}:{row.event_id}"
        async for row in rows
        if fingerprint_of(row.body) != row.fingerprint
    ]


async def _find_contradictions(session: ReadSession, scope: Scope) -> list[str]:
    since = scope.changes.since if scope.changes is not None else None
    return await log_views.find_contradictions(session, since=since)


FACT_CHECKS: Final = (
    FactCheck(
        "rewards_are_what_is_due",
        "What stands credited of each reward is what is due by today's facts and its terms.",
        find_undue,
    ),
    FactCheck(
        "limits_are_kept",
        "No rewards of a version went beyond a limit of its terms when they took their places.",
        find_unlimited,
    ),
    FactCheck(
        "stages_are_what_the_facts_ask_for",
        "No referral waits or has EXPIRED although the facts that reached it say otherwise.",
        find_disagreeing,
    ),
    FactCheck(
        "credits_went_to_eligible_players",
        "When a reward was credited, neither of its pair was known to be excluded or closed.",
        find_ineligible_credits,
    ),
    FactCheck(
        "facts_match_their_fingerprints",
        "Each fact's body is the one whose fingerprint was recorded.",
        _find_forged,
    ),
    FactCheck(
        "attributions_decide_again",
        f"The newest {log_views.MAX_REPLAYED:,} attributions, repeated, prefer the same touch.",
        _find_contradictions,
    ),
)
