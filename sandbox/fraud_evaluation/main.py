"""`referrals fraud-eval`: a population with known rings, and what the fraud rules make of it."""

import asyncio
import gc
import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.markup import escape

from courier.fraud.case_carrier import FILING_BATCH_SIZE
from db.engine import Database
from db.migrate import upgrade
from referrals.access.api_keys import create_key
from referrals.access.audit import Actor
from referrals.fraud.cases.filing import file_doubts
from referrals.verification.verify import verify_database
from runtime.logs import configure_logging
from runtime.settings import Settings
from sandbox.evaluation.main import settings_for
from sandbox.evaluation.play import build_client
from sandbox.fraud_evaluation.campaigns import publish_campaigns
from sandbox.fraud_evaluation.groups import BEGINS_AT
from sandbox.fraud_evaluation.outcomes import load_outcomes
from sandbox.fraud_evaluation.play import play
from sandbox.fraud_evaluation.population import make_population
from sandbox.fraud_evaluation.results import KindResult, precision, results_by_kind, table
from sandbox.fraud_evaluation.targets import measure
from stack.postgres import sqlalchemy_url, temporary_cluster

OWNERS: Final = ("marketer", "approver")
POOL_SIZE: Final = 4
GARBAGE_THRESHOLD: Final = 100_000
"""Allocations between two garbage collections, which would scan the whole plan."""
LOG_LEVEL: Final = "ERROR"
Evaluated = tuple[list[KindResult], Counter[str], list[str]]
"""The results by kind, the number of cases of each kind, and the checks that failed."""


def main(players: int, seed: int, processes: int, json_file: Path | None = None) -> int:
    """Return 1 when a target is missed or a check of `referrals verify` fails, otherwise 0."""
    configure_logging(LOG_LEVEL)
    console = Console(width=200)
    started_s = time.monotonic()
    results, cases, broken = uvloop.run(_evaluate(players, seed, processes))
    targets = measure(results)
    console.print(table(results, title=f"{players} players, seed {seed}"))
    console.print(f"{100 * precision(results):.1f} % of what is stopped are frauds")
    queue = ", ".join(f"{number:,} {kind}" for kind, number in sorted(cases.items()))
    console.print(f"cases for reviewers: {queue or 'none'}")
    for target in targets:
        colour = "green" if target.is_met else "red"
        console.print(f"[{colour}]{100 * target.measured:.2f} % {target.sentence}[/]")
    for check in broken:
        console.print(f"[red]{escape(check)}[/]")
    console.print(f"[dim]in {time.monotonic() - started_s:.0f} s with {processes} processes[/]")
    if json_file is not None:
        kinds = [result.as_json() for result in results]
        report = {"seed": seed, "kinds": kinds, "cases": dict(cases), "complaints": broken}
        json_file.write_text(json.dumps(report, indent=2))
    return 0 if all(target.is_met for target in targets) and not broken else 1


async def prepare_database(settings: Settings) -> str:
    """Create keys and campaigns in an empty, migrated database; return a key with every scope."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        keys = [await _key(settings, owner) for owner in OWNERS]
        clients = [build_client(settings, database, key=key, middleware=None) for key in keys]
        await publish_campaigns(*clients)
        return keys[0]


async def collect_results(settings: Settings, players: int, seed: int, *, key: str) -> Evaluated:
    """File what is doubted; return the results, the cases, and the checks that failed."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        client = build_client(settings, database, key=key, middleware=None)
        await _file_cases(database)
        outcomes, cases = await load_outcomes(client)
        report = await verify_database(database, as_of=BEGINS_AT)
    broken = [f"verify: {check.sentence}" for check in report.checks if not check.ok]
    return results_by_kind(make_population(players, seed=seed), outcomes), cases, broken


async def _file_cases(database: Database) -> None:
    """File the doubts of the whole play, as couriers do all the time."""
    filed = 1
    while filed:
        async with database.transaction() as session:
            filed = await file_doubts(session, limit=FILING_BATCH_SIZE)


async def _evaluate(players: int, seed: int, processes: int) -> Evaluated:
    async with temporary_cluster() as cluster:
        owner_url = sqlalchemy_url(cluster.owner_dsn)
        await asyncio.to_thread(upgrade, owner_url)
        settings = settings_for(sqlalchemy_url(cluster.application_dsn), owner_url=owner_url)
        key = await prepare_database(settings)
        await _play_in_processes(settings, key, players, seed, processes)
        return await collect_results(settings, players, seed, key=key)


async def _play_in_processes(
    settings: Settings, key: str, players: int, seed: int, processes: int
) -> None:
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        await asyncio.gather(
            *(
                loop.run_in_executor(
                    pool, _play_part, settings, key, players, seed, number, processes
                )
                for number in range(processes)
            )
        )


def _play_part(  # noqa: PLR0917 - run_in_executor passes arguments by position
    settings: Settings, key: str, players: int, seed: int, number: int, processes: int
) -> None:
    """Play one process's part, in whole groups: no two of them share an account's values."""
    configure_logging(LOG_LEVEL)
    gc.set_threshold(GARBAGE_THRESHOLD)
    groups = make_population(players, seed=seed)
    part = [group for group in groups if group.number % processes == number]
    uvloop.run(play(part, settings, key=key))


async def _key(settings: Settings, owner: str) -> str:
    actor = Actor(name=owner, request_id=None, reason="a simulation")
    url = settings.owner_database_url or ""
    async with Database.open(url) as database, database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)
