"""A sportsbook whose wallet holds the balances, over HTTP on both sides and a whole stack."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow

from sandbox.sportsbook.accounts.faults import Fault
from sandbox.sportsbook.accounts.running import RunningAccounts
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_deposited_pair, create_signed_up_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import chargeback, deposit
from stack import Connection
from tests import ROOT
from tests.journeys.stack_processes import kill_child
from workflows.client import connect
from workflows.reconciliation import SCHEDULE_ID

BURST_S: Final = 120.0
"""Seconds for the restart of the courier, and for all that it then has to do."""


async def test_a_reward_is_in_the_wallet_when_it_is_granted(
    sportsbook: SportsbookClient, accounts: RunningAccounts
) -> None:
    pair, _ = await create_deposited_pair(sportsbook)

    assert await accounts.store.balance(pair.referrer_id) == 1000
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert (await sportsbook.referral(pair.referral_id)).stages[-2:] == ["HELD", "REWARDED"]


async def test_the_balance_is_spent_in_the_wallet(
    sportsbook: SportsbookClient, stack: Connection
) -> None:
    pair, _ = await create_deposited_pair(sportsbook)
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, trust_env=False) as api:
        answer = await api.post(
            f"/v1/players/{pair.referrer_id}/spend",
            json={"amount": {"minor": 100, "currency": "USD"}, "reference": "bet-1"},
        )
    assert (answer.status_code, answer.json()["code"]) == (409, "external_wallet")


async def test_a_chargeback_takes_what_is_there_and_a_later_reward_goes_net(
    sportsbook: SportsbookClient, accounts: RunningAccounts
) -> None:
    pair, paid = await create_deposited_pair(sportsbook)
    await accounts.store.bet(pair.referrer_id, 700)
    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")

    async def owed() -> int:
        return (await sportsbook.balance(pair.referrer_id)).minor("owed")

    await wait_until(owed, lambda minor: minor == 700, what="what the wallet took")
    assert await accounts.store.balance(pair.referrer_id) == 0


async def test_a_refused_payment_is_approved_and_paid(
    sportsbook: SportsbookClient, accounts: RunningAccounts
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    await accounts.store.close(pair.referrer_id)
    await sportsbook.send(deposit(pair.referee_id, minor=2000))
    review = await sportsbook.wait_for_review(pair.referral_id)
    assert review.reasons == ["payment_refused"]
    await accounts.store.reopen(pair.referrer_id)

    await sportsbook.decide(review.review_id, "approve", "the account is open again")
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert await accounts.store.balance(pair.referrer_id) == 1000


@pytest.mark.timeout(240)
async def test_a_burst_with_time_outs_and_a_killed_courier_pays_each_once(
    sportsbook: SportsbookClient, accounts: RunningAccounts, directory: Path
) -> None:
    pairs = [await create_signed_up_pair(sportsbook) for _ in range(6)]
    accounts.faults.inject(Fault.TIMEOUT_AFTER_COMMIT, times=4)
    for pair in pairs:
        await sportsbook.send(deposit(pair.referee_id, minor=2000))
    kill_child(directory, "courier")

    for pair in pairs:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=BURST_S)
        assert await accounts.store.balance(pair.referrer_id) == 1000
    ended = await asyncio.to_thread(_reconcile, directory, accounts)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (await sportsbook.verify(max_age_s=0)).ok


async def test_the_daily_reconciliation_is_scheduled_and_green(stack: Connection) -> None:
    temporal: Client = await connect(stack.temporal_address, namespace="default")
    schedule = temporal.get_schedule_handle(SCHEDULE_ID)
    await schedule.trigger()

    async def runs() -> int:
        return len((await schedule.describe()).info.recent_actions)

    await wait_until(runs, bool, what="a run of the schedule")
    started = (await schedule.describe()).info.recent_actions[-1].action
    assert isinstance(started, ScheduleActionExecutionStartWorkflow)
    result = await temporal.get_workflow_handle(started.workflow_id).result()
    assert result["differences"] == {}


def _reconcile(directory: Path, accounts: RunningAccounts) -> subprocess.CompletedProcess[str]:
    lines = (directory / "environment").read_text().splitlines()
    stored = dict(line.split("=", 1) for line in lines if line.startswith("REFERRALS_DATABASE_URL"))
    given = {name: value.strip("'\"") for name, value in stored.items()}
    return subprocess.run(
        [sys.executable, "-m", "cli", "reconcile"],
        cwd=ROOT,
        env={
            **os.environ,
            **given,
            "REFERRALS_WALLET_URL": accounts.url,
            "REFERRALS_WALLET_TOKEN": accounts.token,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
