"""The demo's last stories: one referral's timeline, the ledger, and the Temporal UI."""

from functools import partial
from typing import Final

import httpx
from rich.table import Table

from db.engine import Database
from referrals.ledger.balances import BookSum, sums_by_book
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import Story
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_deposited_pair
from stack import Connection
from stack.temporal import NAMESPACE

UI_TIMEOUT_S: Final = 30.0
"""Seconds within which Temporal's web UI answers; its server may be busy with all the stories."""


def closing_stories(connection: Connection) -> tuple[Story, ...]:
    return (
        Story("The life of one referral, from its audit trail", show_one_referral),
        Story(
            "The ledger: where the money came from, and where it is now",
            partial(prove_ledger_balances, connection),
        ),
        Story(
            "Temporal, where engineers inspect each referral",
            partial(prove_temporal_ui, connection),
        ),
    )


async def show_one_referral(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair, _ = await create_deposited_pair(sportsbook)
    referral = await sportsbook.referral(pair.referral_id)
    table = Table("stage", "at", "reason", "reward")
    for change in referral.timeline:
        table.add_row(change.stage, f"{change.at:%H:%M:%S.%f}"[:-3], change.reason or "", "")
    for reward in referral.rewards:
        amount = f"{reward.amount.minor / 100:.2f} {reward.amount.currency}"
        table.add_row("", "", f"to {reward.player_id}", f"{amount} {reward.status}")
    proofs.console.print(table)
    proofs.add("its workflow", expected=pair.invitation.workflow_id, seen=referral.workflow_id)


async def prove_ledger_balances(
    connection: Connection, sportsbook: SportsbookClient, proofs: Proofs
) -> None:
    sums = await _sums(connection)
    table = Table("accounts", "currency")
    table.add_column("minor units", justify="right")
    for row in sums:
        table.add_row(row.book, row.currency, f"{row.minor:,}")
    proofs.console.print(table)
    proofs.add("sum over all accounts", expected=0, seen=sum(row.minor for row in sums))
    verification = await sportsbook.wait_until_delivered()
    proofs.add(
        f"failures of the {len(verification.checks)} checks of `referrals verify`",
        expected=[],
        seen=sorted(verification.failures),
    )


async def prove_temporal_ui(connection: Connection, _: SportsbookClient, proofs: Proofs) -> None:
    address = f"{connection.temporal_ui_url}/api/v1/namespaces/{NAMESPACE}/workflows"
    async with httpx.AsyncClient(trust_env=False, timeout=UI_TIMEOUT_S) as client:
        page = await client.get(connection.temporal_ui_url)
        listed = await client.get(address)
    proofs.add(
        f"{connection.temporal_ui_url} answers",
        expected=[200, "text/html"],
        seen=[page.status_code, page.headers["content-type"].split(";")[0]],
    )
    found = listed.json().get("executions", [])
    proofs.add("it lists the workflows of referrals", expected=True, seen=len(found) > 0)


async def _sums(connection: Connection) -> tuple[BookSum, ...]:
    url = connection.settings().database_url
    async with Database.open(url) as database, database.reading() as session:
        return await sums_by_book(session)
