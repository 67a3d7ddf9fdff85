"""The client: events are handed over at once and delivered behind the caller's back."""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Self, Unpack

import httpx

from referrals_client.asking import Asking
from referrals_client.events import build_event
from referrals_client.fields import (
    ChargebackFields,
    DepositFields,
    SignupFields,
    StatusFields,
    WagerFields,
)
from referrals_client.handing import Dropped, Handover, NotTaken, Stats
from referrals_client.lanes import Lanes
from referrals_client.limits import Limits
from referrals_client.outcomes import Refused
from referrals_client.sender import Sender
from referrals_client.telling import Telling
from referrals_client.wire import Wire

MAX_ID_CHARS: Final = 64


class Client(Asking):
    """Hands events to the referral service; make one per process, and use it with `async with`.

    `signed_up`, `deposited`, `charged_back`, `wagered` and `status_changed` put the event into a
    queue in memory and return: they wait for nothing and raise nothing, from any task or thread.
    Tasks in the background deliver them, in order per player, and repeat what was not answered.

    The queue is lost when the process dies. What must not be lost belongs into an outbox table,
    written in the transaction of the signup or deposit itself: see docs/integration/outbox.md.

    `on_dropped` and `on_refused` are called where it happens, so they must be quick; what they
    raise is logged. Both get the event, so that it can be written down elsewhere.
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
        self._telling = Telling(on_dropped, on_refused)
        wire = Wire(url, api_key, http=http)
        super().__init__(wire, call_s=self._limits.call_s)
        self._sender = Sender(self._lanes, wire, self._limits, self._telling)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._send_task: asyncio.Task[None] | None = None
        self._sender_pid: int | None = None

    def signed_up(self, **signup: Unpack[SignupFields]) -> Handover:
        """A player opened an account; a token or a typed code says who brought them."""
        return self._enqueue("signups", signup)

    def deposited(self, **deposit: Unpack[DepositFields]) -> Handover:
        """A deposit was settled. Pending and failed ones are not reported."""
        return self._enqueue("deposits", deposit)

    def charged_back(self, **chargeback: Unpack[ChargebackFields]) -> Handover:
        """A deposit was refunded or charged back, or a chargeback of it was won."""
        return self._enqueue("chargebacks", chargeback)

    def wagered(self, **wager: Unpack[WagerFields]) -> Handover:
        """A bet was settled."""
        return self._enqueue("wagers", wager)

    def status_changed(self, **change: Unpack[StatusFields]) -> Handover:
        """A player was verified, self-excluded, closed or restored."""
        return self._enqueue("players", change)

    @property
    def stats(self) -> Stats:
        counts = self._telling.counts
        return Stats(
            waiting=len(self._lanes),
            accepted=counts["accepted"],
            duplicates=counts["duplicates"],
            refused=counts["refused"],
            dropped=counts["dropped"],
            failed_attempts=counts["failed"],
            is_away=self._telling.is_away,
        )

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def start(self) -> None:
        """Begin to deliver, in the loop that runs; RuntimeError without one."""
        if self._send_task is None:
            self._loop = asyncio.get_running_loop()
            self._sender_pid = os.getpid()
            self._send_task = self._loop.create_task(self._send(), name="referrals_client")

    async def flushed(self, within_s: float) -> bool:
        """Whether everything handed over so far was delivered or refused in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._sender.emptied()
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Take nothing more, deliver for `drain_s` seconds, and drop the rest."""
        self._lanes.close()
        sending = self._send_task
        if sending is None or self._loop is not asyncio.get_running_loop():
            self.close_now()
            await self._wire.close()
            return
        try:
            await self._wait_until_drained(sending)
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    def close_now(self) -> None:
        """Take nothing more and drop everything at once; needs no loop."""
        self._drop_queued()
        if self._send_task and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send_task.cancel)

    def _enqueue(self, door: str, fields: Mapping[str, object]) -> Handover:
        try:
            event = build_event(door, fields, at=datetime.now(UTC))
            # After a fork the tasks that deliver are those of the parent; here nobody would.
            forked = self._sender_pid not in {None, os.getpid()}
            why = "forked" if forked else self._lanes.put(event)
            if why is None:
                return self._wake_sender()
            self._telling.dropped(event, why)
        except Exception as fault:  # noqa: BLE001 - the caller's critical path begins here
            return self._refuse(door, fields, fault)
        return Handover.DROPPED

    def _wake_sender(self) -> Handover:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._sender.ring)
            except RuntimeError:
                # The loop was closed before its tasks could end, so nothing will be sent any more.
                self._drop_queued()
                return Handover.DROPPED
        return Handover.QUEUED

    def _refuse(self, door: str, fields: Mapping[str, object], fault: Exception) -> Handover:
        # The text of our own ValueErrors never holds a value; that of others may.
        detail = str(fault) if type(fault) is ValueError else type(fault).__name__
        given = fields.get("event_id")
        event_id = given[:MAX_ID_CHARS] if isinstance(given, str) else ""
        self._telling.refused(door, event_id, Refused("invalid_input", detail), None)
        return Handover.REFUSED

    async def _wait_until_drained(self, sending: asyncio.Task[None]) -> None:
        emptied = asyncio.create_task(self._sender.emptied())
        try:
            within_s = self._limits.drain_s
            waiting = {emptied, sending}
            await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()

    async def _send(self) -> None:
        try:
            await self._sender.run()
        finally:
            # Also when the loop ends under us, as asyncio.run does with tasks that are left.
            self._drop_queued()
            await self._wire.close()

    def _drop_queued(self) -> None:
        for event in self._lanes.empty():
            self._telling.dropped(event, "closed")
