"""The command `campaign-simulate`: replays a past period by a version of a campaign."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from courier.commands.backtester import period_of
from courier.verifier import explain
from db.engine import Database
from db.faults import DATABASE_FAULTS
from domain.campaigns.limits.periods import TaxYearStart
from domain.money import Money, write_amount
from referrals.reporting.explanations import UnknownVersionError
from referrals.reporting.simulation_report import Simulation, Totals, simulation_json
from referrals.reporting.simulations import Question, read_period, simulate
from runtime.command_line import COULD_NOT_RUN
from runtime.settings import DatabaseSettings

MAX_LINES: Final = 20
"""Changed referrals that are printed; the file has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command, as they are written."""

    slug: str
    since: str | None
    until: str | None
    version: int | None
    tax_year_start: str


def main(settings: DatabaseSettings, asked: Asked, *, json_file: Path | None) -> int:
    """Run a simulation, print it, and return the exit code."""
    try:
        found = uvloop.run(_run(settings, asked))
    except UnknownVersionError:
        return _refuse(f"{asked.slug} has no version {asked.version}")
    except (ValueError, OSError) as fault:
        return _refuse(str(fault))
    except DATABASE_FAULTS as fault:
        return _refuse(explain(fault))
    if json_file is not None:
        json_file.write_text(json.dumps(simulation_json(found), indent=2) + "\n")
    print("\n".join(_lines(asked.slug, found)))  # noqa: T201
    return 0


async def _run(settings: DatabaseSettings, asked: Asked) -> Simulation:
    since, until = period_of(asked.since, asked.until)
    question = Question(slug=asked.slug, since=since, until=until, version=asked.version)
    tax_year_start = TaxYearStart.parse(asked.tax_year_start)
    async with Database.open(settings.database_url) as database, database.snapshot() as session:
        period = await read_period(session, question, at=datetime.now(UTC))
    if period is None:
        raise ValueError(f"there is no campaign {asked.slug}")
    return await simulate(period, tax_year_start=tax_year_start)


def _refuse(reason: str) -> int:
    print(f"could not run the simulation: {reason}", file=sys.stderr)  # noqa: T201
    return COULD_NOT_RUN


def _lines(slug: str, found: Simulation) -> list[str]:
    """Return a line for each figure, for people and for grep."""
    return [
        f"{slug}, version {found.version}; the live one is {found.live_version}",
        f"referrals {found.referrals}, qualified {found.qualified}",
        f"before: {_totals(found.before)}",
        f"after: {_totals(found.after)}",
        f"live: {_totals(found.live)}",
        *(f"unpaid, {reason}: {count}" for reason, count in found.unpaid.items()),
        *(
            f"{one.to} {one.kind}: {one.rewards} rewards, {_money([one.smallest])} to"
            f" {_money([one.largest])}, median {_money([one.median])}"
            for one in found.spread
        ),
        *(
            f"budget: {_money([one.budget])}, left {_money([one.left])}"
            + (f", used up at {one.exhausted_at.isoformat()}" if one.exhausted_at else "")
            for one in found.budgets
        ),
        f"changed: {found.changed_total}",
        *(
            f"{one.referral_id}: {_totals(one.before)}, then {_totals(one.after)}: {one.why}"
            for one in found.changed[:MAX_LINES]
        ),
    ]


def _totals(one: Totals) -> str:
    return f"{one.rewards} rewards, {_money(one.cost)}"


def _money(amounts: Iterable[Money]) -> str:
    return " + ".join(map(write_amount, amounts)) or "nothing"
