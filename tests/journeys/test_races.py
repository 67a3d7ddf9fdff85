"""Races between two events, and a crowd of copies: whoever wins, stage and money agree."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import ago, campaign_draft, chargeback, deposit
from sandbox.sportsbook.responses import Referral
from stack import Connection, referral_processes
from stack.child import ChildProcess
from tests.journeys.engineer import Engineer
from tests.journeys.review_steps import hold_for_review

TIMES: Final = int(os.environ.get("JOURNEY_RACES", "8"))
"""Races of each kind; 60 are run before a release, and 200 referrals in a crowd of copies."""
AT_ONCE: Final = 15
EARLY_S: Final = 0.1
LATE_S: Final = 0.5
"""Distance of an event from the deadline: far enough that each side wins some races."""

REFERRALS: Final = int(os.environ.get("CROWDED_REFERRALS", "20"))
COPIES: Final = 50
PAIRS_AT_ONCE: Final = 8

pytestmark = pytest.mark.timeout(240)
METRICS_PORT: Final = "COURIER_METRICS_PORT"


async def test_a_signup_races_its_expiry(sportsbook: SportsbookClient, engineer: Engineer) -> None:
    campaign = await sportsbook.publish(campaign_draft(signup_window="PT1S", lateness_grace="PT0S"))

    async def race() -> str:
        pair = await create_invited_pair(sportsbook, campaign)
        invited_at = (await sportsbook.referral(pair.referral_id)).timeline[0].at
        await sleep_until_near(invited_at + timedelta(seconds=1))
        await sportsbook.send(
            pair.signup(at=min(datetime.now(UTC), invited_at + timedelta(seconds=1)))
        )
        await sportsbook.send(deposit(pair.referee_id))
        ended = await final_referral(sportsbook, engineer, pair)
        bound = await sportsbook.referrals_of(pair.referee_id)
        assert [r.referral_id for r in bound] == [
            pair.referral_id for _ in range(ended.stage == "REWARDED")
        ]
        return ended.stage

    assert set(await run_many(race)) <= {"REWARDED", "EXPIRED"}
    assert (await sportsbook.wait_until_delivered()).failures == {}


async def test_a_late_deposit_races_the_expiry(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    campaign = await sportsbook.publish(
        campaign_draft(deposit_window="PT1S", lateness_grace="PT0S")
    )

    async def race() -> str:
        pair = await create_invited_pair(sportsbook, campaign)
        signed_up_at = datetime.now(UTC)
        await sportsbook.send(pair.signup(at=signed_up_at))
        deadline = signed_up_at + timedelta(seconds=1)
        await sleep_until_near(deadline)
        await sportsbook.send(deposit(pair.referee_id, at=min(datetime.now(UTC), deadline)))
        return (await final_referral(sportsbook, engineer, pair)).stage

    assert set(await run_many(race)) <= {"REWARDED", "EXPIRED"}
    assert (await sportsbook.wait_until_delivered()).failures == {}


async def test_a_decision_races_a_chargeback(sportsbook: SportsbookClient) -> None:
    async def race() -> str:
        pair, paid = await hold_for_review(sportsbook)
        review = await sportsbook.wait_for_review(pair.referral_id)

        async def take_back() -> None:
            await sleep_until_near(datetime.now(UTC))
            await sportsbook.send(chargeback(paid))

        decided, _ = await asyncio.gather(
            sportsbook.decide(review.review_id, "approve", "a couple"), take_back()
        )
        assert decided.status_code in {200, 409}
        ended = await sportsbook.wait_for_stage(pair.referral_id, "VOIDED", "REVERSED", within_s=60)
        balance = await sportsbook.balance(pair.referrer_id)
        assert (balance.available, balance.held, balance.owed) == ([], [], [])
        return ended.stage

    await run_many(race)
    assert (await sportsbook.wait_until_delivered()).failures == {}


async def test_two_couriers_race_on_the_same_players(
    sportsbook: SportsbookClient, stack: Connection, tmp_path: Path
) -> None:
    async def race() -> str:
        pair = await create_invited_pair(sportsbook)
        paid = [deposit(pair.referee_id), deposit(pair.referee_id)]
        events = [pair.signup(at=ago(seconds=2)), *paid, chargeback(paid[0])]
        random.shuffle(events)
        await asyncio.gather(*(sportsbook.send(event) for event in events for _ in range(2)))
        ended = await sportsbook.wait_for_stage(
            pair.referral_id, "REWARDED", "REVERSED", within_s=60
        )
        return ended.stage

    async with running_courier(stack, tmp_path):
        stages = await run_many(race)
        assert (await sportsbook.wait_until_delivered(within_s=60)).failures == {}
    assert len(stages) == TIMES


async def test_fifty_copies_of_each_deposit_give_one_credit(sportsbook: SportsbookClient) -> None:
    room = asyncio.Semaphore(PAIRS_AT_ONCE)

    async def live() -> tuple[Pair, list[str]]:
        async with room:
            pair = await create_invited_pair(sportsbook)
            await sportsbook.send(pair.signup())
            paid = deposit(pair.referee_id)
            return pair, await asyncio.gather(*(sportsbook.send(paid) for _ in range(COPIES)))

    lives = await asyncio.gather(*(live() for _ in range(REFERRALS)))

    for pair, statuses in lives:
        assert sorted(statuses) == ["accepted", *["duplicate"] * (COPIES - 1)]
        credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=60)
        assert credited.stages == ["INVITED", "SIGNED_UP", "REWARDED"]
        assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert (await sportsbook.wait_until_delivered()).failures == {}


async def run_many(race: Callable[[], Awaitable[str]]) -> list[str]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> str:
        async with room:
            return await race()

    return await asyncio.gather(*(one() for _ in range(TIMES)))


async def sleep_until_near(deadline: datetime) -> None:
    """Sleep until about a deadline; the sleep is the race itself, not a wait for something."""
    aim = deadline + timedelta(seconds=random.uniform(-EARLY_S, LATE_S))  # noqa: S311
    await asyncio.sleep(max(0.0, (aim - datetime.now(UTC)).total_seconds()))


async def final_referral(sportsbook: SportsbookClient, engineer: Engineer, pair: Pair) -> Referral:
    """Return the referral at its end, after comparing its money with its stage."""
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", "EXPIRED", within_s=60)
    ended = await engineer.wait_until_idle(pair.referral_id)
    balance = await sportsbook.balance(pair.referrer_id)
    assert balance.minor("available") == (1000 if ended.stage == "REWARDED" else 0)
    return ended


@asynccontextmanager
async def running_courier(stack: Connection, logs: Path) -> AsyncIterator[None]:
    # The stack's courier listens on the port of the metrics.
    environment = {
        name: value for name, value in stack.environment.items() if not name.endswith(METRICS_PORT)
    }
    couriers = referral_processes.children(environment, api_url=stack.api_url)
    child = next(child for child in couriers if child.name == "courier")
    courier = ChildProcess(replace(child, niceness=0), logs=logs)
    try:
        await courier.wait_until_ready()
        yield
    finally:
        await courier.stop()
