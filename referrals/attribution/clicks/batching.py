"""Reads and writes of clicks: of one after the other, or of many visitors together."""

from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Row

from db.batches import Batches
from db.engine import Database, StatementExecutor
from referrals.attribution.clicks.followed_codes import (
    Click,
    FollowedCode,
    followed_code,
    select_followed_codes,
)
from referrals.attribution.clicks.statements import Invitation, insert_invitations, invitation_of

LOCK_TIMEOUT: Final = "500ms"
"""Time that a batch of invitations waits for another transaction's, before each waits alone: an
equal click, or a first open of the same device."""


class ClickStore(Protocol):
    """The reads and writes of a click."""

    async def find(self, click: Click) -> FollowedCode | None:
        """Return what the click's code offers now; None for a code that nobody has."""

    async def invite(self, click: Click, followed: FollowedCode) -> UUID | None:
        """Insert an invitation; None if its visitor has an open one of this code."""

    def executor(self) -> AbstractAsyncContextManager[StatementExecutor]:
        """Open an executor for the rarer writes, which are not batched."""


class SessionClicks:
    """Follows clicks one by one in the caller's transaction."""

    def __init__(self, session: StatementExecutor) -> None:
        self._session = session

    async def find(self, click: Click) -> FollowedCode | None:
        (row,) = await select_followed_codes(self._session, [click])
        return row and followed_code(row)

    async def invite(self, click: Click, followed: FollowedCode) -> UUID | None:
        invitation = invitation_of(click, followed)
        (referral_id,) = await insert_invitations(self._session, [invitation])
        return referral_id

    def executor(self) -> AbstractAsyncContextManager[StatementExecutor]:
        return nullcontext(self._session)


class ClickBatches:
    """Follows clicks of many requests, which share their statements.

    Each click reads its own row and makes its own invitation, so that one whose campaign cannot be
    read, as of a later release, does not fail those beside it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._finding: Batches[Click, Row[Any] | None] = Batches(
            database, select_followed_codes, drops_abandoned=True
        )
        self._inviting: Batches[Invitation, UUID | None] = Batches(
            database, partial(insert_invitations, lock_timeout=LOCK_TIMEOUT), drops_abandoned=True
        )

    async def find(self, click: Click) -> FollowedCode | None:
        row = await self._finding.submit(click)
        return row and followed_code(row)

    async def invite(self, click: Click, followed: FollowedCode) -> UUID | None:
        return await self._inviting.submit(invitation_of(click, followed))

    def executor(self) -> AbstractAsyncContextManager[StatementExecutor]:
        return self._database.autocommit()
