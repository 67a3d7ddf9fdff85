"""Checks that need the pure core or each row's content: they compute again what was decided."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, exists, select, text

from db.engine import ReadSession
from db.tables import Erasure, FactRow
from domain.campaigns.conditions.evaluation import did_hold
from domain.privacy import ERASED
from referrals.attribution import log_views
from referrals.campaigns.versions import terms_from
from referrals.intake.facts import fingerprint_of
from referrals.verification.due_check import find_undue
from referrals.verification.eligibility_check import find_ineligible_credits
from referrals.verification.invariant import Scope, scoped
from referrals.verification.limit_check import find_unlimited
from referrals.verification.stage_check import find_disagreeing

_JUDGED_ATTEMPTS: Final = """
    select r.id, r.terms, jsonb_agg(q.condition_trace order by q.attempt) as traces,
           array_agg((select f.event_id
                        from qualification_facts f join facts d using (kind, event_id)
                       where f.qualification_id = q.id
                       order by d.occurred_at desc, d.event_id collate "C" desc limit 1)
                     order by q.attempt) as deposits
      from referrals r join qualifications q on q.referral_id = r.id
     where $referrals(r.id) and exists (select from qualifications
                                         where referral_id = r.id and condition_trace is not null)
     group by r.id
"""
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


async def _find_unmet(session: ReadSession, scope: Scope) -> list[str]:
    query = text(scoped(_JUDGED_ATTEMPTS, scope))
    needed = {name: scope.values[name] for name in query.compile().params}
    rows = await session.stream(query.execution_options(yield_per=BATCH_ROWS), needed)
    return [str(row.id) async for row in rows if not _is_met(row)]


def _is_met(row: Row[Any]) -> bool:
    """Return whether each attempt met the condition, or began with the deposit of the last one.

    That one had met it, whatever has changed since.
    """
    when = terms_from(row.terms).rules.when
    if when is None:
        return True
    return all(
        trace is None
        or deposit == before
        or did_hold(when, {leaf["path"] for leaf in trace if leaf["holds"]})
        for trace, deposit, before in zip(
            row.traces, row.deposits, (None, *row.deposits), strict=False
        )
    )


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
        "attempts_met_their_condition",
        "The deposit that an attempt began with met the condition of its terms.",
        _find_unmet,
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
