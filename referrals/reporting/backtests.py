"""Backtests: stored snapshots scored again by a candidate rule set and by the live one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Row, insert, text

from db.engine import ReadSession, Session
from db.tables import BacktestRow
from domain.campaigns.rules import RewardType
from domain.fraud.backtest import Backtest, Judged, Tally
from domain.fraud.rule_set_drafts import CampaignRuleSets
from domain.fraud.snapshot import read_snapshot
from domain.money import Money
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.campaigns.versions import terms_from

PAGE: Final = 200
"""Assessments that are read and scored at a time."""
_FIRST_ID: Final = UUID(int=0)
_UNREADABLE: Final = (KeyError, TypeError, ValueError)

# The latest assessment of each referral in a time, in its order: the snapshot, the money that it is
# about, and what people and chargebacks have said of the referral since.
_PAGE: Final = text("""
    select assessments.id, assessments.assessed_at, assessments.evidence,
           referrals.campaign_slug, referrals.terms,
           (select jsonb_agg(jsonb_build_array(amount_minor, currency) order by reward_type)
            from rewards where rewards.referral_id = referrals.id) as rewards,
           exists (select from reviews where reviews.referral_id = referrals.id
                   and decision = 'reject')
           or exists (select from rewards where rewards.referral_id = referrals.id
                      and status = 'REVERSED') as is_fraud,
           exists (select from reviews where reviews.referral_id = referrals.id
                   and decision = 'approve') as is_approved
    from assessments join referrals on referrals.id = assessments.referral_id
    where assessed_at >= cast(:since as timestamptz) and assessed_at < cast(:until as timestamptz)
      and (assessed_at, assessments.id) > (cast(:after_at as timestamptz), cast(:after_id as uuid))
      and not exists (
          select from assessments as later
          where later.referral_id = assessments.referral_id
            and later.assessed_at < cast(:until as timestamptz)
            and (later.assessed_at, later.id) > (assessments.assessed_at, assessments.id)
      )
    order by assessed_at, assessments.id limit :limit
""")
# Counts up to a limit, so that it takes no longer than the backtest may.
_COUNT: Final = text("""
    select count(*) from (
        select from assessments
        where assessed_at >= cast(:since as timestamptz)
          and assessed_at < cast(:until as timestamptz)
        limit :limit
    ) as counted
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two rule sets, and the time whose assessments are scored by both."""

    candidate: CampaignRuleSets
    baseline: CampaignRuleSets
    since: datetime
    until: datetime
    """Exclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    before: str
    after: str
    referrals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Referrals that are known to be fraud or honest, and how many of them were stopped."""

    fraud: int
    honest: int
    fraud_stopped_before: int
    fraud_stopped_after: int
    honest_stopped_before: int
    honest_stopped_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """The latest snapshot of each referral, scored by the baseline and by the candidate."""

    rule_set: str
    baseline: str
    since: datetime
    until: datetime
    assessed: int
    changed: int
    unreadable: int
    verdicts: tuple[VerdictChange, ...]
    money: BeforeAfter
    """Money that is paid, held and blocked."""
    queue: BeforeAfter
    """Referrals that ask for a review."""
    truth: Truth


_REPORT: Final = TypeAdapter(BacktestReport)


async def count_assessments(
    session: ReadSession, since: datetime, until: datetime, *, limit: int
) -> int:
    """Return how many assessments a time has, at most `limit`."""
    window = {"since": since, "until": until, "limit": limit}
    counted: int = (await session.execute(_COUNT, window)).scalar_one()
    return counted


async def replay(
    session: ReadSession, comparison: Comparison, *, page: int = PAGE
) -> BacktestReport:
    """Score the latest snapshot of each referral by both rule sets; writes nothing."""
    found, unreadable = Backtest(), 0
    async for row in _rows(session, comparison, page):
        try:
            judged = _judged(row)
        except _UNREADABLE:
            unreadable += 1
            continue
        found.add(
            judged,
            baseline=comparison.baseline.of(row.campaign_slug),
            candidate=comparison.candidate.of(row.campaign_slug),
        )
    return _report(comparison, found, unreadable)


def report_json(report: BacktestReport) -> dict[str, Any]:
    """Return a report as the API and the command show it."""
    shown: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    shown["from"], shown["to"] = shown.pop("since"), shown.pop("until")
    return shown


async def store(session: Session, report: BacktestReport, actor: Actor) -> None:
    """Store the report of two stored rule sets, which publishing one of them needs."""
    values = {
        "id": uuid4(),
        "version": int(report.rule_set),
        "baseline": int(report.baseline),
        "since": report.since,
        "until": report.until,
        "report": report_json(report),
        "run_by": actor.name,
    }
    await session.execute(insert(BacktestRow).values(values))
    await audit.write(
        session,
        actor,
        action="rule_set.backtest",
        subject=f"rule-set:{report.rule_set}",
        details={"baseline": report.baseline, "assessed": report.assessed},
    )


async def _rows(
    session: ReadSession, comparison: Comparison, limit: int
) -> AsyncIterator[Row[Any]]:
    at, after_id = comparison.since, _FIRST_ID
    while True:
        values = {
            "since": comparison.since,
            "until": comparison.until,
            "after_at": at,
            "after_id": after_id,
            "limit": limit,
        }
        page = (await session.execute(_PAGE, values)).all()
        for row in page:
            yield row
        if len(page) < limit:
            return
        at, after_id = page[-1].assessed_at, page[-1].id


def _judged(row: Row[Any]) -> Judged:
    is_known = row.is_fraud or row.is_approved
    return Judged(
        snapshot=read_snapshot(row.evidence),
        amounts=_amounts(row),
        is_fraud=row.is_fraud if is_known else None,
    )


def _amounts(row: Row[Any]) -> tuple[Money, ...]:
    """Return the referral's rewards; where none were made, what its terms promise."""
    if row.rewards:
        return tuple(Money(minor, currency) for minor, currency in row.rewards)
    terms = terms_from(row.terms)
    computed = (terms.rules.flat_cash(side) for side in RewardType)
    promised = (terms.referrer_reward, terms.referee_reward, *computed)
    return tuple(amount for amount in promised if amount is not None)


def _report(comparison: Comparison, found: Backtest, unreadable: int) -> BacktestReport:
    before, after = found.baseline, found.candidate
    return BacktestReport(
        rule_set=comparison.candidate.base.version,
        baseline=comparison.baseline.base.version,
        since=comparison.since,
        until=comparison.until,
        assessed=found.assessed,
        changed=found.changed,
        unreadable=unreadable,
        verdicts=tuple(
            VerdictChange(before=one.value, after=other.value, referrals=count)
            for (one, other), count in sorted(found.verdicts.items())
        ),
        money=BeforeAfter(before=before.money_by_fate(), after=after.money_by_fate()),
        queue=BeforeAfter(before=before.queue, after=after.queue),
        truth=_truth(found, before, after),
    )


def _truth(found: Backtest, before: Tally, after: Tally) -> Truth:
    return Truth(
        fraud=found.known[True],
        honest=found.known[False],
        fraud_stopped_before=before.stopped[True],
        fraud_stopped_after=after.stopped[True],
        honest_stopped_before=before.stopped[False],
        honest_stopped_after=after.stopped[False],
    )
