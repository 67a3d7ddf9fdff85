"""What the demo shows after its stories: one referral's life, the books, and Temporal's pages."""

from functools import partial

import httpx
from rich.table import Table

from db.engine import Database
from referrals.ledger.balances import BookSum, sums_by_book
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import Story
from sandbox.sportsbook.book import Book
from sandbox.sportsbook.pairs import deposited
from stack import Connection


def closing(connection: Connection) -> tuple[Story, ...]:
    return (
        Story("The life of one referral, as its audit trail tells it", show_one_referral),
        Story(
            "The ledger: where the money came from, and where it is now",
            partial(prove_ledger_balances, connection),
        ),
        Story(
            "Temporal, where an engineer looks into each referral",
            partial(prove_temporal_ui, connection),
        ),
    )


async def show_one_referral(book: Book, proofs: Proofs) -> None:
    pair, _ = await deposited(book)
    referral = await book.referral(pair.referral_id)
    table = Table("stage", "at", "reason", "reward")
    for passage in referral.timeline:
        table.add_row(passage.stage, f"{passage.at:%H:%M:%S.%f}"[:-3], passage.reason or "", "")
    for reward in referral.rewards:
        amount = f"{reward.amount.minor / 100:.2f} {reward.amount.currency}"
        table.add_row("", "", f"to {reward.player_id}", f"{amount} {reward.status}")
    proofs.console.print(table)
    proofs.add("its workflow", expected=pair.invitation.workflow_id, seen=referral.workflow_id)


async def prove_ledger_balances(connection: Connection, book: Book, proofs: Proofs) -> None:
    sums = await _sums(connection)
    table = Table("accounts", "currency")
    table.add_column("minor units", justify="right")
    for part in sums:
        table.add_row(part.book, part.currency, f"{part.minor:,}")
    proofs.console.print(table)
    proofs.add("sum over all accounts", expected=0, seen=sum(part.minor for part in sums))
    verification = await book.delivered()
    proofs.add(
        f"failures of the {len(verification.checks)} checks of `referrals verify`",
        expected=[],
        seen=sorted(verification.failures),
    )


async def prove_temporal_ui(connection: Connection, _: Book, proofs: Proofs) -> None:
    address = f"{connection.temporal_ui_url}/api/v1/namespaces/default/workflows"
    async with httpx.AsyncClient(trust_env=False) as client:
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
