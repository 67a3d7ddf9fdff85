"""Verifying the books once at a time, for all who ask meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

from referrals.verification.verify import VerificationReport


class Verifying:
    """Whoever comes during a run waits for the next one, which sees all that they did before."""

    def __init__(self, run: Callable[[], Awaitable[VerificationReport]]) -> None:
        self._run = run
        self._current: asyncio.Task[VerificationReport] | None = None
        self._next: asyncio.Task[VerificationReport] | None = None

    async def report(self) -> VerificationReport:
        """Of a run that begins now or later; one caller who leaves does not stop it."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._current))
        return await asyncio.shield(self._next)

    async def _run_after(
        self, before: asyncio.Task[VerificationReport] | None
    ) -> VerificationReport:
        if before is not None:
            await asyncio.wait([before])
        self._current, self._next = self._next, None
        return await self._run()
