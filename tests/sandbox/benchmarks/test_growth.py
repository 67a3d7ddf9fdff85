"""Plans of hot statements in a database that has grown: none reads more than it needs."""

from collections.abc import Mapping
from typing import Final

import pytest

from db.engine import Database
from sandbox.benchmarks.growth.lives import Lives
from sandbox.benchmarks.growth.rows import Size, fill
from sandbox.benchmarks.growth.steps import prepare, steps_of
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, run_as_superuser
from tests.sandbox.benchmarks.plans import SETTINGS, Plan, PlanRecorder, rows_of

GROWN: Final = Size(
    open_referrals=6_000, facts=12_000, referees=800, star_facts=50, bets=2_000, waiting=800
)
SMALL_TABLES: Final = {"enable_seqscan": "off", "random_page_cost": "1.1"}
"""Settings without which tables as small as a test's are read, and sorted, from end to end."""
MAX_ROWS: Final = 600
"""Rows that a node of a plan may read: a page, a batch or a bounded part, and no table."""
IN_PROPORTION: Final = {
    # Each referral that waits for the player hears of it, and is found among the player's own.
    "exclude a referrer": GROWN.referees + GROWN.waiting,
    "restore a referrer": GROWN.referees + GROWN.waiting,
    # A player's referrals by another code, of another campaign, are left out one by one.
    "list referrals of a code": GROWN.referees + GROWN.waiting,
    # Count what waits, vital signs up to a bound.
    "look at vital signs": 4 * GROWN.waiting,
    "read the lag": 5 * GROWN.waiting,
    # Counts the signups of its campaign in three windows of time, each up to a bound.
    "score": 4 * GROWN.open_referrals,
    "score and credit": 4 * GROWN.open_referrals,
}
"""Steps that read as many rows as they are about."""


@pytest.fixture(scope="module")
async def plans(
    postgres: PostgresCluster, template_database: str
) -> Mapping[str, tuple[Plan, ...]]:
    """Return the plans of each step's statements."""
    async with database_copy(postgres, template_database) as urls:
        async with Database.open(urls.application) as database:
            templates = await Lives(database).begin()
        await fill(postgres.superuser_dsn, urls.name, GROWN, templates)
        for name, value in (*SETTINGS.items(), *SMALL_TABLES.items()):
            statement = f"alter database {urls.name} set {name} = '{value}'"
            await run_as_superuser(postgres, statement)
        async with Database.open(urls.application) as database:
            recorder, lives, found = PlanRecorder(database), Lives(database), {}
            for name, step in steps_of(lives, await prepare(lives)).items():
                await recorder.take()
                await step()
                found[name] = tuple(plan for plan in await recorder.take() if _is_ours(plan))
    return found


def _is_ours(plan: Plan) -> bool:
    """Return whether a statement is not one by which the driver asks for types."""
    return "typeinfo_tree" not in plan.statement


async def test_no_step_reads_more_than_it_needs(plans: Mapping[str, tuple[Plan, ...]]) -> None:
    assert {name for name, seen in plans.items() if not seen} == set()
    too_many = {
        (name, " ".join(plan.statement.split())[:300]): plan.rows_read
        for name, seen in plans.items()
        for plan in seen
        if plan.rows_read > IN_PROPORTION.get(name, 0) + MAX_ROWS
    }
    assert not too_many, "\n".join(f"{key}: {rows}" for key, rows in too_many.items())


async def test_leases_are_read_from_an_index_in_their_order(
    plans: Mapping[str, tuple[Plan, ...]],
) -> None:
    for name in ("lease and acknowledge updates", "lease and acknowledge invitations"):
        (lease,) = [plan for plan in plans[name] if "skip locked" in plan.statement]
        due = [n for n in lease.nodes() if n.get("Index Name") == "ix_deliveries_lane_due"]
        assert [node["Node Type"] for node in due] == ["Index Scan"]


async def test_the_turnover_is_read_from_totals_of_days(
    plans: Mapping[str, tuple[Plan, ...]],
) -> None:
    read = {}
    for name in (
        "record and route a bet that counts",
        "record and route the bet that reaches the turnover",
    ):
        (turnover,) = [plan for plan in plans[name] if "stake_totals t" in plan.statement]
        nodes = list(turnover.nodes())
        read[name] = tuple(
            sum(rows_of(node) for node in nodes if node.get("Relation Name") == table)
            for table in ("stake_totals", "facts")
        )
    days, stakes = read["record and route the bet that reaches the turnover"]
    assert read["record and route a bet that counts"] == (days, 0)
    assert 20 <= days <= 22
    assert 0 < stakes <= GROWN.bets / 20 + 1
