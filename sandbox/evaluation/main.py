"""`referrals attribution-eval`: plays journeys with known truth and tells what came of them."""

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
from sandbox.evaluation import offers
from sandbox.evaluation.door import Door
from sandbox.evaluation.figures import (
    Bound,
    Figure,
    complaints,
    payments_outside_the_plan,
    results_by_scenario,
    table,
    total,
)
from sandbox.evaluation.plan import BEGINS_AT, planned
from sandbox.evaluation.play import Told, build_client, play
from stack.postgres import sqlalchemy_url, temporary_cluster

OWNERS: Final = ("marketer", "approver")
POOL_SIZE: Final = 4
GARBAGE_EACH: Final = 100_000
LOG_LEVEL: Final = "ERROR"


def main(journeys: int, seed: int, processes: int, json_file: Path | None = None) -> int:
    """1 when `complaints` finds what must not be, or the books do not agree."""
    configure_logging(LOG_LEVEL)
    console = Console(width=150)
    began = time.monotonic()
    figures, found = uvloop.run(_evaluate(journeys, seed, processes))
    console.print(table(figures, title=f"{journeys} journeys, seed {seed}"))
    console.print("* carries an intact token or code: all of them have to be correct")
    for complaint in found:
        console.print(f"[red]{escape(complaint)}[/]")
    console.print(f"[dim]in {time.monotonic() - began:.0f} s with {processes} processes[/]")
    if json_file is not None:
        told = {"seed": seed, "paths": [figure.plain for figure in (*figures, total(figures))]}
        json_file.write_text(json.dumps(told | {"complaints": found}, indent=2))
    return 1 if found else 0


async def _evaluate(journeys: int, seed: int, processes: int) -> tuple[list[Figure], list[str]]:
    async with temporary_cluster() as cluster:
        owner_url = sqlalchemy_url(cluster.owner_dsn)
        await asyncio.to_thread(upgrade, owner_url)
        settings = settings_for(sqlalchemy_url(cluster.application_dsn))
        key = await prepare(settings)
        told = await _play_in_processes(settings, key, journeys, seed, processes)
        return await judged(settings, told, key=key)


def settings_for(database_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "temporal_address": "127.0.0.1:7233",
            "hash_key": "a key for a simulation",
            "token_key": "another key for a simulation",
            "public_url": "https://refer.example",
            "ios_app_id": "ABCDE12345.example.book",
            "ios_app_store_url": "https://apps.apple.com/app/id000000000",
            "android_package": "example.book",
        }
    )


async def prepare(settings: Settings) -> str:
    """Keys and campaigns on an empty, migrated database; the key has every scope."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        keys = [await _key(database, owner) for owner in OWNERS]
        drafter, publisher = (
            build_client(settings, database, key=key, wrapped=None) for key in keys
        )
        await offers.publish(drafter, publisher, starts_at=BEGINS_AT)
        return keys[0]


async def judged(
    settings: Settings, told: Sequence[Told], *, key: str
) -> tuple[list[Figure], list[str]]:
    """The figures, and everything that must not be."""
    async with Database.open(settings.database_url, pool_size=POOL_SIZE) as database:
        door = build_client(settings, database, key=key, wrapped=None)
        bound = await _bound(door)
        figures = results_by_scenario(told, bound)
        report = await verify_database(database)
    broken = [f"verify: {check.sentence}" for check in report.checks if not check.ok]
    return figures, [*complaints(figures), *payments_outside_the_plan(told, bound), *broken]


async def _play_in_processes(
    settings: Settings, key: str, journeys: int, seed: int, processes: int
) -> list[Told]:
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
    return [one for part in parts for one in part]


def _play_shard(  # noqa: PLR0917 - a process of its own is told everything
    settings: Settings, key: str, journeys: int, seed: int, number: int, processes: int
) -> list[Told]:
    configure_logging(LOG_LEVEL)
    # Thousands of stories wait for their turns; they are not looked through for garbage so often.
    gc.set_threshold(GARBAGE_EACH)
    plan = planned(journeys, seed=seed).shard(number, of=processes)
    return uvloop.run(play(plan, settings, key=key))


async def _bound(door: Door) -> dict[str, Bound]:
    """Every player's referral with its rewards, as the API shows them."""
    found: dict[str, Bound] = {}
    cursor = ""
    while True:
        page = await door.read(f"/v1/referrals?limit=200{cursor}")
        for referral in page["items"]:
            if referral["referee_id"] and referral["stage"] != "LOST":
                paid = any(reward["status"] == "ISSUED" for reward in referral["rewards"])
                found[referral["referee_id"]] = Bound(referral["code"], paid)
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def _key(database: Database, owner: str) -> str:
    actor = Actor(name=owner, request_id=None, reason="a simulation")
    async with database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)
