"""Statements of many rows keep one plan, whatever the number of rows: planning costs as much."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.engine import Database, Session
from db.rate_windows import WindowRequest, count_hits
from domain.intake.facts import FactKind
from referrals.attribution.clicks.followed_codes import Click, followed_code, select_followed_codes
from referrals.attribution.clicks.statements import insert_invitations, invitation_of
from referrals.intake.facts import Report, facts_of_players, record_facts
from tests.builders import NOW, a_code, an_offer, deposit, unique
from tests.fixtures.databases import DatabaseUrls

SIZES = (1, 2, 1, 1, 2, 1, 3, 1, 64, 2, 1, 5, 1, 1)
MAX_PLANS = 5
"""Executions for which Postgres makes plans of their own, before it compares their costs."""
KEPT = text("""
    select custom_plans, generic_plans from pg_prepared_statements where statement like :like
""")


def clicks(count: int, code: str = "NOBODYS-CODE") -> list[Click]:
    return [
        Click(code=code, visitor=unique("visitor"), platform="web", at=NOW) for _ in range(count)
    ]


async def find(session: Session, count: int) -> None:
    assert await select_followed_codes(session, clicks(count)) == [None] * count


async def invite(session: Session, count: int) -> None:
    code = (await a_code(session, await an_offer(session))).code
    await session.flush()
    given = clicks(count, code)
    rows = await select_followed_codes(session, given)
    invitations = [
        invitation_of(click, followed_code(row))
        for click, row in zip(given, rows, strict=True)
        if row is not None
    ]
    assert len(invitations) == count
    assert None not in await insert_invitations(session, invitations)


async def count_windows(session: Session, count: int) -> None:
    lengths = {f"kept-plans-{uuid4().hex}": timedelta(minutes=1) for _ in range(count)}
    (windows,) = await count_hits(session, [WindowRequest(lengths, ["nothing"], NOW)])
    assert {window.hits for window in windows.values()} == {1}


async def record(session: Session, count: int) -> None:
    paid = [deposit() for _ in range(count)]
    reports = [Report(fact=each, player_id=each.player_id) for each in paid]
    assert len(await record_facts(session, reports, door="http")) == count


async def read(session: Session, count: int) -> None:
    players = [unique("player") for _ in range(count)]
    assert not await facts_of_players(session, players, FactKind.DEPOSIT)


@pytest.mark.parametrize(
    ("run", "like"),
    [
        (find, "%as given (place integer, code varchar, visitor varchar)%"),
        (invite, "%with click as%"),
        (count_windows, "%insert into rate_windows%"),
        (record, "%insert into facts%"),
        (read, "%from facts%and kind = any%"),
    ],
)
async def test_postgres_keeps_a_plan_whatever_the_number_of_rows(
    fresh_urls: DatabaseUrls, run: Callable[[Session, int], Awaitable[None]], like: str
) -> None:
    async with Database.open(fresh_urls.application) as database, database.transaction() as session:
        for count in SIZES:
            await run(session, count)
        custom, generic = (await session.execute(KEPT, {"like": like})).one()
        await session.rollback()

    assert custom <= MAX_PLANS
    assert custom + generic == len(SIZES)
