"""The command `reconcile` as an operator and a cron job run it: output and exit codes."""

import asyncio
import os
import subprocess
import sys

from tests import ROOT
from tests.fixtures.databases import DatabaseUrls
from tests.wallet.world import WalletWorld


async def test_exits_with_0_where_everything_agrees(
    world: WalletWorld, fresh_urls: DatabaseUrls
) -> None:
    await world.rewarded()
    ended = await _reconcile(world, fresh_urls)

    assert ended.returncode == 0, ended.stderr
    assert "1 transactions of the wallet, 0 orders in flight, 0 differences" in ended.stdout


async def test_exits_with_1_naming_each_difference_with_its_reference(
    world: WalletWorld, fresh_urls: DatabaseUrls
) -> None:
    await world.rewarded()
    (order,) = await world.orders()
    await world.accounts.store.pool.execute("DELETE FROM transactions")
    ended = await _reconcile(world, fresh_urls)

    assert ended.returncode == 1, ended.stderr
    assert f"\nmissing_in_wallet  {order.id}  0:00:" in ended.stdout
    repaired = await _reconcile(world, fresh_urls, "--repair", "--reason", "lost by the wallet")
    assert repaired.returncode == 0, repaired.stderr
    assert (await _reconcile(world, fresh_urls)).returncode == 0


async def test_exits_with_2_where_it_could_not_run(
    world: WalletWorld, fresh_urls: DatabaseUrls
) -> None:
    world.accounts.faults.is_away = True
    away = await _reconcile(world, fresh_urls)
    assert (away.returncode, away.stderr) == (2, "could not reconcile: status 503\n")

    none = await _run({"REFERRALS_DATABASE_URL": fresh_urls.application})
    assert none.returncode == 2
    assert "no wallet is configured" in none.stderr
    odd = await _reconcile(world, fresh_urls, "--from", "yesterday")
    assert (odd.returncode, odd.stderr) == (
        2,
        "could not reconcile: not a time of RFC 3339: yesterday\n",
    )


async def _reconcile(
    world: WalletWorld, urls: DatabaseUrls, *options: str
) -> subprocess.CompletedProcess[str]:
    accounts = world.accounts
    settings = {
        "REFERRALS_DATABASE_URL": urls.application,
        "REFERRALS_WALLET_URL": accounts.url,
        "REFERRALS_WALLET_TOKEN": accounts.token,
    }
    return await _run(settings, *options)


async def _run(settings: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    others = {k: v for k, v in os.environ.items() if not k.startswith("REFERRALS_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", "reconcile", *options],
        cwd=ROOT,
        env={**others, **settings, "COLUMNS": "40"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
