"""The command `fraud-backtest`: scores stored snapshots by a candidate and by the live rule set."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvloop

from courier.verifier import explain
from db.engine import Database, Session
from db.faults import DATABASE_FAULTS
from domain.fraud.rule_set_drafts import CampaignRuleSets, Changes, draft
from domain.money import write_amount
from referrals.access.audit import Actor
from referrals.fraud import rule_sets
from referrals.reporting import backtests
from referrals.reporting.backtests import BacktestReport, Comparison, report_json
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import DatabaseSettings

DEFAULT_PERIOD: Final = timedelta(days=30)
FROM_FILE: Final = "file"
"""Version of a candidate that is not stored."""


def main(
    settings: DatabaseSettings,
    candidate: str,
    *,
    since: str | None,
    until: str | None,
    json_file: Path | None,
    actor: Actor,
) -> int:
    """Run a backtest, print it, and store the report of a stored candidate; return the exit code.

    `candidate` is a version, or a JSON file with `weights`, `thresholds`, `sample_percent` and
    `campaigns` as POST /v1/rule-sets takes them. Times are RFC 3339, those without offset are UTC.
    """
    try:
        report = uvloop.run(_run(settings, candidate, period_of(since, until), actor))
    except (ValueError, OSError) as fault:
        return _refuse(str(fault))
    except DATABASE_FAULTS as fault:
        return _refuse(explain(fault))
    if json_file is not None:
        json_file.write_text(json.dumps(report_json(report), indent=2) + "\n")
    print("\n".join(_lines(report)))  # noqa: T201
    return 0


async def _run(
    settings: DatabaseSettings, candidate: str, period: tuple[datetime, datetime], actor: Actor
) -> BacktestReport:
    since, until = period
    async with Database.open(settings.database_url) as database:
        async with database.transaction() as session:
            live = (await rule_sets.active(session)).live
            sets = await _candidate(session, candidate, live)
        comparison = Comparison(candidate=sets, baseline=live, since=since, until=until)
        async with database.reading() as session:
            report = await backtests.replay(session, comparison)
        if sets.base.version != FROM_FILE:
            async with database.transaction() as session:
                await backtests.store(session, report, actor)
    return report


async def _candidate(session: Session, candidate: str, live: CampaignRuleSets) -> CampaignRuleSets:
    if not candidate.isdecimal():
        return _from_file(Path(candidate), live)
    found = await rule_sets.load(session, int(candidate))
    if found is None:
        raise ValueError(f"there is no rule set {candidate}")
    return found


def _from_file(path: Path, live: CampaignRuleSets) -> CampaignRuleSets:
    asked: Mapping[str, Any] = json.loads(path.read_text())
    unknown = asked.keys() - {"weights", "thresholds", "sample_percent", "campaigns"}
    if unknown:
        raise ValueError(f"{path} has unknown fields: {', '.join(sorted(unknown))}")
    return draft(
        live,
        Changes(weights=asked.get("weights", {}), thresholds=asked.get("thresholds", {})),
        campaigns={slug: Changes(**own) for slug, own in asked.get("campaigns", {}).items()},
        sample_percent=asked.get("sample_percent"),
        version=FROM_FILE,
    )


def period_of(since: str | None, until: str | None) -> tuple[datetime, datetime]:
    """Return two times as they are written, by default the last 30 days; ValueError if wrong."""
    ends = _parse(until) if until else datetime.now(UTC)
    begins = _parse(since) if since else ends - DEFAULT_PERIOD
    if ends <= begins:
        raise ValueError("--to must be later than --from")
    return begins, ends


def _parse(given: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError as fault:
        raise ValueError(f"not a time of RFC 3339: {given}") from fault
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _refuse(reason: str) -> int:
    print(f"could not run the backtest: {reason}", file=sys.stderr)  # noqa: T201
    return COULD_NOT_RUN


def _lines(report: BacktestReport) -> list[str]:
    """Return a line for each figure, for people and for grep."""
    truth = report.truth
    return [
        (
            f"rule set {report.rule_set} beside {report.baseline},"
            f" from {report.since.isoformat()} to {report.until.isoformat()}"
        ),
        f"assessed {report.assessed}, changed {report.changed}, unreadable {report.unreadable}",
        *(
            f"{change.before} to {change.after}: {change.referrals}"
            for change in report.verdicts
            if change.before != change.after
        ),
        *(
            f"{fate}: {_money(report.money.before[fate])} before,"
            f" {_money(report.money.after[fate])} after"
            for fate in report.money.before
        ),
        f"queue: {report.queue.before} before, {report.queue.after} after",
        (
            f"known fraud stopped: {truth.fraud_stopped_before} before,"
            f" {truth.fraud_stopped_after} after, of {truth.fraud}"
        ),
        (
            f"known honest stopped: {truth.honest_stopped_before} before,"
            f" {truth.honest_stopped_after} after, of {truth.honest}"
        ),
    ]


def _money(amounts: Any) -> str:  # noqa: ANN401 - as the report has it
    return " + ".join(map(write_amount, amounts)) or "nothing"
