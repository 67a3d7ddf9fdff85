"""Port of the wallet that holds the players' balances: what it is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.money import Money, RewardKind
from domain.wallet.orders import Direction, OrderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """A request to post, once per reference."""

    reference: UUID
    player_id: str
    amount: Money
    kind: OrderKind
    reason: str
    reward_id: UUID
    reward_kind: RewardKind = RewardKind.CASH
    """Balance of the player that it moves."""

    @property
    def direction(self) -> Direction:
        return self.kind.direction


@dataclass(frozen=True, slots=True)
class Posted:
    """The wallet has posted this amount under the reference, for good."""

    amount: Money


@dataclass(frozen=True, slots=True)
class Refused:
    """The wallet has posted nothing and will not, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The wallet has posted nothing under the reference so far."""


class WalletUnclearError(Exception):
    """The wallet's answer leaves open whether it posted; looked up before anything is sent again.

    Its text names the answer and is stored; it holds no player's data.
    """


class WalletContradictsError(WalletUnclearError):
    """The wallet answers with another amount, player or reference than it was asked for."""


class WalletAwayError(WalletUnclearError):
    """The wallet does not answer anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTransaction:
    """One posted transaction as the wallet lists it; `reference` is any text of its callers."""

    reference: str
    player_id: str
    direction: str
    amount: Money
    reward_id: str | None
    status: str
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class WalletPage:
    items: Sequence[WalletTransaction]
    next_cursor: str | None


class Wallet(Protocol):
    """A wallet; every call may raise WalletUnclearError and has a time limit of its own."""

    @property
    def is_away(self) -> bool:
        """True while it is not called at all, because it has answered nobody lately."""

    async def post(self, request: PaymentRequest) -> Posted | Refused:
        """Ask the wallet to post, which it does at most once per reference."""

    async def find(self, request: PaymentRequest) -> Posted | Refused | NotFound:
        """Look up what the wallet has posted under the request's reference."""

    async def list_transactions(
        self, *, since: datetime, until: datetime, cursor: str | None
    ) -> WalletPage:
        """Return a page of what was posted from `since` on and before `until`."""
