"""`referrals attribution-eval`: journeys with a known truth, and how many were attributed to it."""

import asyncio
import gc
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.markup import escape

from db.engine import Database
from db.migrate import upgrade
from referrals.access.api_keys import create_key
from referrals.access.audit import Actor
from referrals.verification.verify import verify_database
from runtime.logs import configure_logging
from runtime.settings import Settings
from sandbox.evaluation import campaigns
from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.evaluation.plan import BEGINS_AT, make_plan
from sandbox.evaluation.play import JourneyResult, build_client, play
from sandbox.evaluation.results import (
    BoundReferral,
    ScenarioResult,
    payments_outside_the_plan,
    results_by_scenario,
    table,
    total,
    violations,
)
from sandbox.evaluation.told_apart import tell_apart
from stack.postgres import sqlalchemy_url, temporary_cluster

OWNERS: Final = ("marketer", "approver")
POOL_SIZE: Final = 4
GARBAGE_THRESHOLD: Final = 100_000
"""Allocations between two garbage collections, which would scan thousands of waiting stories."""
LOG_LEVEL: Final = "ERROR"


def main(journeys: int, seed: int, processes: int, json_file: Path | None = None) -> int:
    """Return 1 when a rule was violated or a check of `referrals verify` fails, otherwise 0."""
    configure_logging(LOG_LEVEL)
    console = Console(width=150)
    started_s = time.monotonic()
    results, violated = uvloop.run(_evaluate(journeys, seed, processes))
    agents = tell_apart()
    violated += agents.violations()
    console.print(table(results, title=f"{journeys} journeys, seed {seed}"))
    console.print("* carries an intact token or code: all of them have to be correct")
    console.print(agents.sentence())
    for violation in violated:
        console.print(f"[red]{escape(violation)}[/]")
    console.print(f"[dim]in {time.monotonic() - started_s:.0f} s with {processes} processes[/]")
    if json_file is not None:
        paths = [result.as_json() for result in (*results, total(results))]
        agents_found = {"user_agents": agents.as_json()}
        report = {"seed": seed, "paths": paths, "complaints": violated} | agents_found
        json_file.write_text(json.dumps(report, indent=2))
    return 1 if violated else 0


async def _evaluate(
    journeys: int, seed: int, processes: int
) -> tuple[list[ScenarioResult], list[str]]:
    async with temporary_cluster() as cluster:
        owner_url = sqlalchemy_url(cluster.owner_dsn)
        await asyncio.to_thread(upgrade, owner_url)
        settings = settings_for(sqlalchemy_url(cluster.application_dsn), owner_url=owner_url)
        key = await prepare_database(settings)
        journey_results = await _play_in_processes(settings, key, journeys, seed, processes)
        return await collect_results(settings, journey_results, key=key)


def settings_for(database_url: str, *, owner_url: str) -> Settings:
    """Return settings of a simulation; the owner makes the keys."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "owner_database_url": owner_url,
            "temporal_address": "127.0.0.1:7233",
            "hash_key": "a key for a simulation",
            "token_key": "another key for a simulation",
            "public_url": "https://refer.example",
            "ios_app_id": "ABCDE12345.example.book",
            "ios_app_store_url": "https://apps.apple.com/app/id000000000",
            "android_package": "example.book",
        }
    )


async def prepare_database(settings: Settings) -> str:
    """Create keys and campaigns in an empty, migrated database; return a key with every scope."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        keys = [await _key(settings, owner) for owner in OWNERS]
        drafter, publisher = (
            build_client(settings, database, key=key, middleware=None) for key in keys
        )
        await campaigns.publish_campaigns(drafter, publisher, starts_at=BEGINS_AT)
        return keys[0]


async def collect_results(
    settings: Settings, journey_results: Sequence[JourneyResult], *, key: str
) -> tuple[list[ScenarioResult], list[str]]:
    """Return the results by scenario, and the violations found."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        client = build_client(settings, database, key=key, middleware=None)
        bound = await _bound_referrals(client)
        results = results_by_scenario(journey_results, bound)
        report = await verify_database(database, as_of=BEGINS_AT)
    broken = [f"verify: {check.sentence}" for check in report.checks if not check.ok]
    unplanned = payments_outside_the_plan(journey_results, bound)
    return results, [*violations(results), *unplanned, *broken]


async def _play_in_processes(
    settings: Settings, key: str, journeys: int, seed: int, processes: int
) -> list[JourneyResult]:
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(
                    pool, _play_shard, settings, key, journeys, seed, number, processes
                )
                for number in range(processes)
            )
        )
    return [result for part in parts for result in part]


def _play_shard(  # noqa: PLR0917 - run_in_executor passes arguments by position
    settings: Settings, key: str, journeys: int, seed: int, number: int, processes: int
) -> list[JourneyResult]:
    configure_logging(LOG_LEVEL)
    gc.set_threshold(GARBAGE_THRESHOLD)
    plan = make_plan(journeys, seed=seed).shard(number, of=processes)
    return uvloop.run(play(plan, settings, key=key))


async def _bound_referrals(client: InProcessClient) -> dict[str, BoundReferral]:
    """Return every player's referral, and whether it was paid, as the API shows them."""
    found: dict[str, BoundReferral] = {}
    cursor = ""
    while True:
        page = await client.get_json(f"/v1/referrals?limit=200{cursor}")
        for referral in page["items"]:
            if referral["referee_id"] and referral["stage"] != "LOST":
                paid = any(reward["status"] == "ISSUED" for reward in referral["rewards"])
                found[referral["referee_id"]] = BoundReferral(referral["code"], paid)
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def _key(settings: Settings, owner: str) -> str:
    actor = Actor(name=owner, request_id=None, reason="a simulation")
    url = settings.owner_database_url or ""
    async with Database.open(url) as database, database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)
