"""Filling of a database with copies of what a few lives have written, in few statements."""

# ruff: noqa: S608 - the statements are made of names and numbers of ours

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from sandbox.benchmarks.growth.life_rows import CopiedLife, uuid_of

STATISTICS: Final = (
    "referrals, timeline, outbox, deliveries, touches, attributions, assessments, rewards, "
    "qualifications, qualification_facts, transfers, entries, facts, players, identity_links, "
    "inbox, holds, accounts, staking_players, stake_totals"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Numbers of rows that a database is filled with."""

    open_referrals: int
    facts: int
    referees: int
    """Referees of one referrer who were all paid for."""
    star_facts: int
    """Bets, deposits and withdrawals of that referrer, as many of each."""
    bets: int
    """Bets, in 20 days, of each of two referees whose terms ask for stakes."""
    waiting: int
    """Referrals that wait for money, rewards that are held, deliveries and facts in the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Referrals of which the rows are copied; `star` is the referrer of the last three."""

    open: str
    credited: str
    deferred: str
    star: str
    betting: tuple[str, ...]
    """Referees who have bet once, under terms that ask for stakes."""


async def fill(superuser_dsn: str, database: str, size: Size, templates: Templates) -> None:
    """Fill a database; no guard sees the rows, which are copies of rows that the guards saw."""
    connection = await asyncpg.connect(superuser_dsn, database=database)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("set synchronous_commit = off")
        filler = _Filler(connection)
        await filler.copy_lives(templates.open, "open", size.open_referrals, of_star=None)
        await filler.copy_lives(templates.credited, "paid", size.referees, of_star=templates.star)
        await filler.copy_lives(templates.deferred, "queued", size.waiting, of_star=templates.star)
        await filler.copy_facts(templates.open, size)
        await filler.copy_waiting(templates.open, size.waiting)
        await filler.copy_star_facts(templates.open, templates.star, size.star_facts)
        await filler.copy_bets(templates.betting, size.bets)
        await connection.execute(f"analyze {STATISTICS}")
    finally:
        await connection.close()


class _Filler:
    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection
        self._columns: dict[str, list[str]] = {}

    async def copy_lives(
        self, template: str, name: str, count: int, *, of_star: str | None
    ) -> None:
        """Copy the referral `template` with everything written about it, `count` times."""
        referrer = f"'{of_star}'" if of_star else f"'{name}-referrer-' || n % {count // 10 + 1}"
        life = CopiedLife(template=template, name=name, referrer=referrer)
        for rows in life.rows():
            await self._copy(rows.table, rows.where, count, rows.given)

    async def copy_facts(self, template: str, size: Size) -> None:
        """Copy a bet of the open referral's referee, spread over all of them."""
        await self._copy(
            "facts",
            _bet_of(template),
            size.facts,
            {"player_id": f"'open-' || n % {size.open_referrals}", "event_id": "'grown-' || n"},
        )

    async def copy_star_facts(self, template: str, star: str, count: int) -> None:
        """Give the referrer with many referees a long life of bets, deposits and withdrawals."""
        for kind in ("wager", "deposit", "withdrawal"):
            body = "t.body || jsonb_build_object('deposit_id', 'star-' || n)"
            await self._copy(
                "facts",
                _bet_of(template),
                count,
                {
                    "kind": f"'{kind}'",
                    "player_id": f"'{star}'",
                    "event_id": "'star-' || n",
                    "body": body if kind == "deposit" else "t.body",
                },
            )

    async def copy_bets(self, players: Sequence[str], count: int) -> None:
        """Copy the bets of referees whose stakes are counted, and add them up as a trigger would.

        They are spread over the 20 days after the one that is copied.
        """
        for player in players:
            await self._copy(
                "facts",
                f"t.kind = 'wager' and t.player_id = '{player}'",
                count,
                {
                    "event_id": f"'{player}-' || n",
                    "occurred_at": f"t.occurred_at + n * interval '20 days' / {count}",
                },
            )
        await self._connection.execute(
            """
            truncate stake_totals;
            insert into stake_totals (player_id, currency, day, stakes, minor)
            select f.player_id, f.body #>> '{stake,currency}',
                   (f.occurred_at at time zone 'UTC')::date, count(*),
                   sum((f.body #>> '{stake,minor}')::numeric)
              from facts f join staking_players s on s.player_id = f.player_id and s.is_counted
             where f.kind = 'wager' group by 1, 2, 3
            """
        )

    async def copy_waiting(self, template: str, count: int) -> None:
        """Fill both lanes of deliveries, and the inbox, with what nobody has carried yet."""
        for kind, signal in (("deposit", "'look'"), ("invitation", "null")):
            await self._connection.execute(
                f"""
                insert into deliveries (referral_id, kind, event_id, signal)
                select {uuid_of("'open-r-' || n")}, '{kind}', 'waits-' || n, {signal}
                  from generate_series(1, {count}) n
                """
            )
        await self._connection.execute(
            f"""
            insert into inbox (player_id, kind, event_id)
            select 'open-' || n, 'wager', 'grown-' || n from generate_series(1, {count}) n
            """
        )

    async def _copy(self, table: str, where: str, count: int, given: Mapping[str, str]) -> None:
        """Copy the rows of a table, `n` being the number of the copy."""
        columns = await self._columns_of(table)
        values = ", ".join(given.get(column, f"t.{column}") for column in columns)
        await self._connection.execute(
            f"""
            insert into {table} ({", ".join(columns)})
            select {values} from {table} t cross join generate_series(1, {count}) n where {where}
            """
        )

    async def _columns_of(self, table: str) -> list[str]:
        """Return the columns that are written, in their order."""
        if table not in self._columns:
            rows = await self._connection.fetch(
                """
                select column_name from information_schema.columns
                 where table_schema = 'public' and table_name = $1
                   and is_generated = 'NEVER' and is_identity = 'NO'
                 order by ordinal_position
                """,
                table,
            )
            self._columns[table] = [row["column_name"] for row in rows]
        return self._columns[table]


def _bet_of(template: str) -> str:
    return (
        "t.kind = 'wager' and t.player_id = "
        f"(select referee_id from referrals where id = '{template}')"
    )
