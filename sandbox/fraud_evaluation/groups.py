"""Groups of the population: players who may share something, and what each of them does when."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from itertools import count
from random import Random
from typing import Any, Final

from sandbox.fraud_evaluation.accounts import Account, own_account

BEGINS_AT: Final = datetime(2025, 3, 3, tzinfo=UTC)
"""Far enough in the past that no reported time is ahead of the real clock."""
OPENING_DAYS: Final = 45
"""Days within which groups begin."""
MINIMUM_MINOR: Final = 1000
"""Minimum deposit of the campaigns, in cents."""
OPEN: Final = "open"
STRICT: Final = "strict"
"""Campaigns: STRICT requires a device and a payment instrument."""


class ActKind(StrEnum):
    SIGNUP = auto()
    CLAIM = auto()
    DEPOSIT = auto()
    WAGER = auto()
    WITHDRAWAL = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a player does; `brought_by` is the player whose code is typed."""

    at: datetime
    kind: ActKind
    account: Account
    brought_by: str | None = None
    minor: int = 0
    instrument: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """A use of a new account: amounts in cents, times after the signup or deposit."""

    deposit_minor: int
    deposits_after: timedelta
    stake_minor: int = 0
    wagers_after: timedelta = timedelta(hours=2)
    withdrawn_minor: int = 0
    withdraws_after: timedelta = timedelta(days=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Players who may share something; `frauds` are those whose referral is a fraud."""

    kind: str
    number: int
    campaign: str
    players: tuple[Account, ...]
    referred: frozenset[str]
    frauds: frozenset[str]
    acts: tuple[Act, ...]

    @property
    def name(self) -> str:
        """Return the part before the dash of every player's id."""
        return group_name(self.number)


@dataclass(slots=True)
class GroupDraft:
    """A group while it is planned; every random number comes from its own `rng`."""

    kind: str
    number: int
    rng: Random
    size: int
    numbers: "count[int]"
    campaign: str = OPEN
    begins_at: datetime = BEGINS_AT
    players: list[Account] = field(default_factory=list)
    _referred: set[str] = field(default_factory=set)
    _frauds: set[str] = field(default_factory=set)
    _acts: list[Act] = field(default_factory=list)

    def account(self, *, ip: str | None = None, **shared: Any) -> Account:  # noqa: ANN401
        """Plan an account of its own person, apart from the values that it shares."""
        player_id = f"{self.name}-{len(self.players)}"
        account = own_account(self.rng, player_id, next(self.numbers), ip=ip)
        account = replace(account, **shared)
        self.players.append(account)
        return account

    @property
    def name(self) -> str:
        return group_name(self.number)

    def joins(
        self,
        account: Account,
        habits: Habits,
        *,
        at: datetime,
        brought_by: Account | None = None,
        is_fraud: bool = False,
    ) -> datetime:
        """Plan a player's signup and what follows; return when the player deposits."""
        self._acts.append(
            Act(
                at=at,
                kind=ActKind.SIGNUP,
                account=account,
                brought_by=brought_by.player_id if brought_by else None,
            )
        )
        if brought_by is not None:
            self._mark_referred(account, is_fraud=is_fraud)
        deposited_at = at + habits.deposits_after
        self.deposits(account, habits.deposit_minor, at=deposited_at)
        self._plays(account, habits, at=deposited_at)
        return deposited_at

    def deposits(
        self, account: Account, minor: int, *, at: datetime, instrument: str | None = None
    ) -> None:
        self._acts.append(
            Act(
                at=at,
                kind=ActKind.DEPOSIT,
                account=account,
                minor=minor,
                instrument=instrument or account.card,
            )
        )

    def withdraws(
        self, account: Account, minor: int, *, at: datetime, instrument: str | None = None
    ) -> None:
        self._acts.append(
            Act(
                at=at,
                kind=ActKind.WITHDRAWAL,
                account=account,
                minor=minor,
                instrument=instrument or account.card,
            )
        )

    def claims(self, account: Account, *, brought_by: Account, at: datetime) -> None:
        """Plan that a player names, after the signup, a fraudulent referrer."""
        claim = Act(at=at, kind=ActKind.CLAIM, account=account, brought_by=brought_by.player_id)
        self._acts.append(claim)
        self._mark_referred(account, is_fraud=True)

    def finished(self) -> Group:
        return Group(
            kind=self.kind,
            number=self.number,
            campaign=self.campaign,
            players=tuple(self.players),
            referred=frozenset(self._referred),
            frauds=frozenset(self._frauds),
            acts=tuple(sorted(self._acts, key=lambda act: act.at)),
        )

    def _mark_referred(self, account: Account, *, is_fraud: bool) -> None:
        self._referred.add(account.player_id)
        if is_fraud:
            self._frauds.add(account.player_id)

    def _plays(self, account: Account, habits: Habits, *, at: datetime) -> None:
        if habits.stake_minor:
            self._acts.append(
                Act(
                    at=at + habits.wagers_after,
                    kind=ActKind.WAGER,
                    account=account,
                    minor=habits.stake_minor,
                )
            )
        if habits.withdrawn_minor:
            self.withdraws(account, habits.withdrawn_minor, at=at + habits.withdraws_after)


def group_name(number: int) -> str:
    return f"group{number}"
