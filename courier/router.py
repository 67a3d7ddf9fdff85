"""First half of the courier: facts in the inbox to deliveries, player by player."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from courier.player_backoffs import PlayerBackoffs
from courier.route_player import route_player
from db.clock import database_now
from db.engine import Database, Session
from db.faults import describe
from referrals.attribution.tokens import Tokens
from referrals.intake import unrouted

FACT_BATCH_SIZE: Final = 64
MAX_CONCURRENT_PLAYERS: Final = 6
"""Each needs a connection; the lease of players and the carriers need one more each."""

log = structlog.get_logger()


class Router:
    """Routes each player in a transaction of its own, so that one fault stops nobody else.

    Deadlines are set by the database's clock, not by this machine's, unless `clock` is given.
    """

    def __init__(
        self, database: Database, *, tokens: Tokens, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_PLAYERS)
        self._backoffs = PlayerBackoffs()

    async def route(self) -> bool:
        """Route the players of the oldest facts and return whether more may be waiting."""
        async with self._database.reading() as session:
            leased = await unrouted.lease_players(
                session, limit=FACT_BATCH_SIZE, excluding=self._backoffs.backing_off()
            )
            # The lease lasts as long as this transaction; other couriers route other players.
            await self._route_all(leased)
        return bool(leased)

    async def _route_all(self, player_ids: Sequence[str]) -> None:
        results = await asyncio.gather(
            *(self._route(player_id) for player_id in player_ids), return_exceptions=True
        )
        for player_id, result in zip(player_ids, results, strict=True):
            self._remember_result(player_id, result)

    async def _route(self, player_id: str) -> None:
        async with self._slots, self._database.transaction() as session:
            now = await self._now(session)
            await route_player(session, player_id, tokens=self._tokens, now=now)

    async def _now(self, session: Session) -> datetime:
        return self._clock() if self._clock else await database_now(session)

    def _remember_result(self, player_id: str, result: BaseException | None) -> None:
        if result is None:
            self._backoffs.succeed(player_id)
            return
        failures = self._backoffs.fail(player_id)
        log.error("routing_failed", failures=failures, player_id=player_id, error=describe(result))
