"""Facts to deliveries: the courier's first half, player by player."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from courier.backoff import backoff_s
from courier.route_player import route_player
from db.engine import Database
from referrals.attribution.tokens import Tokens
from referrals.intake import inbox

FACT_BATCH_SIZE: Final = 64
MAX_CONCURRENT_PLAYERS: Final = 6
"""Each needs a connection; their claim and the carrier need one more each."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Backoff:
    failures: int
    retry_at_s: float


class Router:
    """Each player in a transaction of its own, so that one fault stops nobody else."""

    def __init__(
        self, database: Database, *, tokens: Tokens, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._room = asyncio.Semaphore(MAX_CONCURRENT_PLAYERS)
        self._backoffs: dict[str, _Backoff] = {}

    async def route(self) -> bool:
        """Route the players who have waited longest; whether there may be more of them."""
        async with self._database.reading() as session:
            claimed = await inbox.lease_players(
                session, limit=FACT_BATCH_SIZE, besides=self._resting()
            )
            # The claim lasts as long as its transaction, and other couriers route other players.
            await self._route_all(claimed)
        return bool(claimed)

    async def _route_all(self, player_ids: Sequence[str]) -> None:
        results = await asyncio.gather(
            *(self._route(player_id) for player_id in player_ids), return_exceptions=True
        )
        for player_id, result in zip(player_ids, results, strict=True):
            self._remember(player_id, result)

    async def _route(self, player_id: str) -> None:
        async with self._room, self._database.transaction() as session:
            await route_player(session, player_id, tokens=self._tokens, now=self._clock())

    def _resting(self) -> tuple[str, ...]:
        now_s = time.monotonic()
        return tuple(p for p, trouble in self._backoffs.items() if trouble.retry_at_s > now_s)

    def _remember(self, player_id: str, result: BaseException | None) -> None:
        before = self._backoffs.pop(player_id, None)
        if result is None:
            return
        failures = before.failures + 1 if before else 1
        retry_at_s = time.monotonic() + backoff_s(failures)
        self._backoffs[player_id] = _Backoff(failures, retry_at_s)
        log.error("routing_failed", failures=failures, player_id=player_id, error=repr(result))
