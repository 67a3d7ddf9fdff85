"""Outages over the end of a window: what was in time is rewarded once, however late it comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import psutil
import pytest

from domain.lifecycle.referral import REOPEN_WINDOW
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair, create_signed_up_pair
from sandbox.sportsbook.requests import Event, campaign_draft, deposit
from stack import Connection
from tests.journeys.stack_processes import read_pids

SHORT: Final = "PT5S"
GRACE: Final = "PT1S"
AWAY: Final = pytest.mark.parametrize("away", ["api", "postgres"])
PATIENT_S: Final = 60.0


@AWAY
@pytest.mark.timeout(300)
async def test_a_deposit_in_time_is_rewarded_although_its_window_ended_in_an_outage(
    sportsbook: SportsbookClient, directory: Path, away: str
) -> None:
    campaign = await sportsbook.publish(campaign_draft(deposit_window=SHORT, lateness_grace=GRACE))
    pair = await create_signed_up_pair(sportsbook, campaign)
    paid = deposit(pair.referee_id)
    await expire_in_an_outage(sportsbook, pair, directory, away)

    await report_twice(sportsbook, paid)

    rewarded = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=PATIENT_S)
    assert rewarded.stages == ["INVITED", "SIGNED_UP", "EXPIRED", "SIGNED_UP", "REWARDED"]
    await assert_paid_once(sportsbook, pair)


@AWAY
@pytest.mark.timeout(300)
async def test_a_signup_in_time_is_bound_although_its_window_ended_in_an_outage(
    sportsbook: SportsbookClient, directory: Path, away: str
) -> None:
    campaign = await sportsbook.publish(campaign_draft(signup_window=SHORT, lateness_grace=GRACE))
    pair = await create_invited_pair(sportsbook, campaign)
    arrival = pair.signup()
    await expire_in_an_outage(sportsbook, pair, directory, away)

    await report_twice(sportsbook, deposit(pair.referee_id))
    await report_twice(sportsbook, arrival)

    rewarded = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=PATIENT_S)
    assert rewarded.stages == ["INVITED", "EXPIRED", "SIGNED_UP", "REWARDED"]
    await assert_paid_once(sportsbook, pair)


@pytest.mark.timeout(300)
async def test_a_player_who_was_bound_elsewhere_in_the_meantime_stays_there(
    sportsbook: SportsbookClient, directory: Path
) -> None:
    campaign = await sportsbook.publish(campaign_draft(signup_window=SHORT, lateness_grace=GRACE))
    pair = await create_invited_pair(sportsbook, campaign)
    arrival = pair.signup()
    await expire_in_an_outage(sportsbook, pair, directory, "api")
    elsewhere = await create_invited_pair(sportsbook, campaign)
    await sportsbook.send(replace(elsewhere, referee_id=pair.referee_id).signup())
    bound = await sportsbook.wait_until_bound(pair.referee_id)

    await report_twice(sportsbook, arrival)
    await report_twice(sportsbook, deposit(pair.referee_id))

    await sportsbook.wait_for_stage(bound.referral_id, "REWARDED", within_s=PATIENT_S)
    await sportsbook.wait_until_delivered()
    assert bound.referral_id == elsewhere.referral_id
    assert (await sportsbook.referral(pair.referral_id)).stage == "EXPIRED"
    assert (await sportsbook.get_attribution(arrival.id)).outcome == "existing_player"
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0


@pytest.mark.timeout(300)
async def test_nothing_moves_after_the_reopen_window(
    sportsbook: SportsbookClient, stack: Connection, directory: Path
) -> None:
    campaign = await sportsbook.publish(campaign_draft(deposit_window=SHORT, lateness_grace=GRACE))
    pair = await create_signed_up_pair(sportsbook, campaign)
    paid = deposit(pair.referee_id)
    await expire_in_an_outage(sportsbook, pair, directory, "api")
    await age_by(stack, pair, REOPEN_WINDOW)

    await report_twice(sportsbook, paid)

    await sportsbook.wait_until_delivered()
    assert (await sportsbook.referral(pair.referral_id)).stage == "EXPIRED"
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0
    reasons = {fact.event_id: fact.reason_code for fact in await sportsbook.facts(pair.referral_id)}
    assert reasons[paid.id] == "referral_ended"


async def expire_in_an_outage(
    sportsbook: SportsbookClient, pair: Pair, directory: Path, name: str
) -> None:
    """Keep a process away while the referral's window ends, and wait until it has expired."""
    until = (await sportsbook.referral(pair.referral_id)).until
    async with outage(directory, name):
        # A window ends at its time, and nobody can be asked whether it has.
        await asyncio.sleep((until - datetime.now(UTC)).total_seconds() + 0.5)
    await sportsbook.wait_for_stage(pair.referral_id, "EXPIRED", within_s=PATIENT_S)


@asynccontextmanager
async def outage(directory: Path, name: str) -> AsyncIterator[None]:
    """Freeze a process with its children: it answers nothing, and keeps its connections."""
    process = psutil.Process(read_pids(directory)[name])
    frozen = [process, *process.children(recursive=True)]
    for one in frozen:
        one.suspend()
    try:
        yield
    finally:
        for one in frozen:
            one.resume()


async def report_twice(sportsbook: SportsbookClient, event: Event) -> None:
    statuses = await asyncio.gather(sportsbook.send(event), sportsbook.send(event))
    assert sorted(statuses) == ["accepted", "duplicate"]


async def assert_paid_once(sportsbook: SportsbookClient, pair: Pair) -> None:
    verification = await sportsbook.wait_until_delivered()
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert verification.failures == {}


async def age_by(stack: Connection, pair: Pair, age: timedelta) -> None:
    """Let a referral have expired earlier."""
    connection = await asyncpg.connect(stack.postgres_owner_dsn)
    try:
        query = "UPDATE referrals SET until = until - $2::interval WHERE id = $1::uuid"
        await connection.execute(query, pair.referral_id, age)
    finally:
        await connection.close()
