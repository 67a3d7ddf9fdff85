"""First half of the courier: facts in the inbox to deliveries, player by player."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from courier.pacing.player_backoffs import PlayerBackoffs
from courier.route_player import PlayerBusyError, route_player
from db import traces
from db.engine import Database
from db.faults import describe
from referrals.attribution.tokens import Tokens
from referrals.fraud.routing.quiet_players import route_quiet
from referrals.intake import unrouted

FACT_BATCH_SIZE: Final = 64
MAX_CONCURRENT_PLAYERS: Final = 6
"""Each needs a connection; the lease of players and the carriers need one more each."""
MAX_WAITING_PLAYERS: Final = 2
"""Players at once for whose lock a connection waits, beside those above."""
PATIENCE_S: Final = 1.0
"""Seconds that a batch waits for its slowest players before the next one begins without them."""

log = structlog.get_logger()


class Router:
    """Routes each player in a transaction of its own, so that one fault stops nobody else.

    A player who takes long, such as one whose connection is dead, is left behind: the others are
    not waited for. Deadlines are set by the database's clock, not by this machine's, unless `clock`
    is given. `clock_s` says when a player who could not be routed is tried again.
    """

    def __init__(
        self,
        database: Database,
        *,
        tokens: Tokens,
        clock: Callable[[], datetime] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._patience_s = patience_s
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_PLAYERS)
        self._waiting_slots = asyncio.Semaphore(MAX_WAITING_PLAYERS)
        self._backoffs = PlayerBackoffs(clock_s=clock_s)
        self._routing: dict[str, asyncio.Task[Any]] = {}
        self._alone: Collection[str] = frozenset()
        """Players whom the last batch of quiet ones that failed had left to be routed alone."""

    async def route(self) -> bool:
        """Route the players of the oldest facts and return whether more were waiting.

        Returns when all of them are routed, or after `patience_s`; one who is
        locked is not waited for.
        """
        async with self._database.reading() as session:
            lease = await unrouted.lease_players(
                session, limit=FACT_BATCH_SIZE, excluding=self._excluded()
            )
            # The lease lasts as long as this transaction; other couriers route other players.
            quiet = await self._route_quiet(
                [
                    one.player_id
                    for one in lease.players
                    if one.may_be_quiet and one.player_id not in self._alone
                ]
            )
            await self._route_all(
                [one.player_id for one in lease.players if one.player_id not in quiet]
            )
        return lease.is_full

    async def finish(self) -> None:
        """Wait for the players that were left behind; each has the deadlines of its statements."""
        # One who turns out to be locked goes on in a further task.
        while self._routing:
            await asyncio.wait(self._routing.values())

    def _excluded(self) -> Sequence[str]:
        return (*self._backoffs.backing_off(), *self._routing)

    async def _route_quiet(self, player_ids: Sequence[str]) -> Collection[str]:
        """Route the quiet ones among players together, and return those of whom no more is to do.

        These are the routed ones, or all while that takes long. Empty where it fails.
        """
        if not player_ids:
            return ()
        routing = asyncio.create_task(self._try_route_quiet(player_ids))
        self._routing |= dict.fromkeys(player_ids, routing)
        done, _ = await asyncio.wait([routing], timeout=self._patience_s)
        return routing.result() if done else player_ids

    async def _try_route_quiet(self, player_ids: Sequence[str]) -> Collection[str]:
        started_ns = time.time_ns()
        routed: Mapping[str, Sequence[str]] = {}
        try:
            async with self._slots, self._database.transaction() as session:
                routed = await route_quiet(session, player_ids)
        except Exception as fault:  # noqa: BLE001 - one by one it is known whose fault it is
            self._alone = frozenset(player_ids)
            log.warning("quiet_players_not_routed", error=describe(fault))
        for player_id, event_ids in routed.items():
            self._backoffs.succeed(player_id)
            for event_id in event_ids:
                traces.past("route", cause=event_id, started_ns=started_ns)
        for player_id in player_ids:
            del self._routing[player_id]
        return routed.keys()

    async def _route_all(self, player_ids: Sequence[str]) -> None:
        for player_id in player_ids:
            self._routing[player_id] = asyncio.create_task(self._route(player_id))
        if player_ids:
            tasks = [self._routing[player_id] for player_id in player_ids]
            await asyncio.wait(tasks, timeout=self._patience_s)

    async def _route(self, player_id: str) -> None:
        """Route a player, or leave one who is locked to a task for which nobody waits."""
        try:
            await self._try_route(player_id, self._slots, waits=False)
        except PlayerBusyError:
            waiting = self._try_route(player_id, self._waiting_slots, waits=True)
            self._routing[player_id] = asyncio.create_task(waiting)

    async def _try_route(self, player_id: str, slots: asyncio.Semaphore, *, waits: bool) -> None:
        try:
            async with slots, self._database.transaction() as session:
                started_ns = time.time_ns()
                now = self._clock() if self._clock else None
                facts = await route_player(
                    session, player_id, tokens=self._tokens, now=now, waits=waits
                )
            for fact in facts:
                traces.past("route", cause=fact.event_id, started_ns=started_ns)
        except PlayerBusyError:
            raise
        except Exception as fault:  # noqa: BLE001 - one player's fault stops nobody else
            self._put_off(player_id, fault)
        else:
            self._backoffs.succeed(player_id)
        del self._routing[player_id]

    def _put_off(self, player_id: str, fault: Exception) -> None:
        failures = self._backoffs.fail(player_id)
        log.error("routing_failed", failures=failures, player_id=player_id, error=describe(fault))
