"""The client: queues events in memory and delivers them in background tasks."""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Self, Unpack

import httpx

from referrals_client.calls import Calls
from referrals_client.events import build_event
from referrals_client.fields import (
    ChargebackFields,
    DepositFields,
    SignupFields,
    StatusFields,
    WagerFields,
    WithdrawalFields,
)
from referrals_client.handover import Dropped, DropReason, Handover, NotTaken, Stats
from referrals_client.lanes import Lanes
from referrals_client.limits import Limits
from referrals_client.observer import DeliveryObserver
from referrals_client.outcomes import Refused
from referrals_client.sender import Sender
from referrals_client.wire import Wire

MAX_ID_CHARS: Final = 64
"""Bounds the part of a rejected `event_id` that is logged and handed back."""


class Client(Calls):
    """Client of the referral service; make one per process and use it with `async with`.

    `signed_up`, `deposited`, `charged_back`, `wagered`, `withdrew` and `status_changed` put the
    event into an in-memory queue and return: they never block or raise, and work from any task or
    thread. Background tasks deliver the events in order per player and retry until they are
    acknowledged.

    The queue is lost when the process dies. Write events that must not be lost to an outbox table,
    in the transaction of the signup or deposit itself: see docs/integration/outbox.md.

    `on_dropped` and `on_refused` are called synchronously, so they must be quick; exceptions they
    raise are logged. Both receive the event, so that it can be stored elsewhere.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        limits: Limits | None = None,
        on_dropped: Callable[[Dropped], object] | None = None,
        on_refused: Callable[[NotTaken], object] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._lanes = Lanes(self._limits.queue, max_bytes=self._limits.queue_bytes)
        self._observer = DeliveryObserver(on_dropped, on_refused)
        wire = Wire(url, api_key, http=http)
        super().__init__(wire, call_s=self._limits.call_s)
        self._sender = Sender(self._lanes, wire, self._limits, self._observer)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._send_task: asyncio.Task[None] | None = None
        self._sender_pid: int | None = None

    def signed_up(self, **signup: Unpack[SignupFields]) -> Handover:
        """Report that a player opened an account, with the token or code that invited them."""
        return self._enqueue("signups", signup)

    def deposited(self, **deposit: Unpack[DepositFields]) -> Handover:
        """Report a settled deposit. Do not report pending or failed ones."""
        return self._enqueue("deposits", deposit)

    def charged_back(self, **chargeback: Unpack[ChargebackFields]) -> Handover:
        """Report that a deposit was refunded or charged back, or that this was undone.

        Each event carries its own amount, never a running total. Give events of one dispute or
        refund the same `dispute_id`.
        """
        return self._enqueue("chargebacks", chargeback)

    def wagered(self, **wager: Unpack[WagerFields]) -> Handover:
        """Report a settled bet."""
        return self._enqueue("wagers", wager)

    def withdrew(self, **withdrawal: Unpack[WithdrawalFields]) -> Handover:
        """Report a completed withdrawal."""
        return self._enqueue("withdrawals", withdrawal)

    def status_changed(self, **change: Unpack[StatusFields]) -> Handover:
        """Report that a player was verified, self-excluded, closed or restored."""
        return self._enqueue("players", change)

    @property
    def stats(self) -> Stats:
        counts = self._observer.counts
        return Stats(
            waiting=len(self._lanes),
            accepted=counts["accepted"],
            duplicates=counts["duplicates"],
            refused=counts["refused"],
            dropped=counts["dropped"],
            failed_attempts=counts["failed"],
            early_attempts=counts["early"],
            is_away=self._observer.is_away,
        )

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Start delivering in the running event loop; RuntimeError without one."""
        if self._send_task is None:
            self._loop = asyncio.get_running_loop()
            self._sender_pid = os.getpid()
            self._send_task = self._loop.create_task(self._send(), name="referrals_client")

    async def flushed(self, within_s: float) -> bool:
        """Wait up to `within_s` seconds; return whether the queue became empty."""
        try:
            async with asyncio.timeout(within_s):
                await self._sender.wait_until_empty()
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop accepting events, deliver for up to `drain_s` seconds, and drop the rest."""
        self._lanes.close()
        send_task = self._send_task
        if send_task is None or self._loop is not asyncio.get_running_loop():
            self.close_now()
            await self._wire.close()
            return
        try:
            await self._wait_until_drained(send_task)
        finally:
            send_task.cancel()
            await asyncio.wait({send_task})

    def close_now(self) -> None:
        """Stop accepting events and drop the queue at once; needs no event loop."""
        self._drop_queued()
        if self._send_task and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send_task.cancel)

    def _enqueue(self, door: str, fields: Mapping[str, object]) -> Handover:
        try:
            event = build_event(door, fields, at=datetime.now(UTC))
            # After a fork, the sender tasks exist only in the parent process.
            is_forked = self._sender_pid not in {None, os.getpid()}
            drop_reason = DropReason.FORKED if is_forked else self._lanes.put(event)
            if drop_reason is None:
                return self._wake_sender()
            self._observer.record_drop(event, drop_reason)
        except Exception as fault:  # noqa: BLE001 - must not reach the caller's critical path
            return self._refuse(door, fields, fault)
        return Handover.DROPPED

    def _wake_sender(self) -> Handover:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._sender.wake)
            except RuntimeError:
                # The loop was closed before its tasks ended, so nothing can be sent any more.
                self._drop_queued()
                return Handover.DROPPED
        return Handover.QUEUED

    def _refuse(self, door: str, fields: Mapping[str, object], fault: Exception) -> Handover:
        # Our own ValueErrors never contain a value; other exceptions may contain personal data.
        detail = str(fault) if type(fault) is ValueError else type(fault).__name__
        given = fields.get("event_id")
        event_id = given[:MAX_ID_CHARS] if isinstance(given, str) else ""
        self._observer.record_refusal(door, event_id, Refused("invalid_input", detail), None)
        return Handover.REFUSED

    async def _wait_until_drained(self, send_task: asyncio.Task[None]) -> None:
        drained = asyncio.create_task(self._sender.wait_until_empty())
        try:
            within_s = self._limits.drain_s
            waiting = {drained, send_task}
            await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            drained.cancel()

    async def _send(self) -> None:
        try:
            await self._sender.run()
        finally:
            # Runs also when asyncio.run cancels the tasks that are left.
            self._drop_queued()
            await self._wire.close()

    def _drop_queued(self) -> None:
        for event in self._lanes.close_and_drain():
            self._observer.record_drop(event, DropReason.CLOSED)
