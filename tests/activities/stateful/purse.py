"""The model's money: the balances of players and campaigns, and who owes what for which reward."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

RewardKey = tuple[str, str]
"""(referee, side): a reward of the model."""


@dataclass(slots=True)
class Debt:
    player_id: str
    reward: RewardKey
    campaign: str
    minor: int


@dataclass(slots=True)
class Purse:
    available: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    budget: Counter[str] = field(default_factory=Counter)
    debts: list[Debt] = field(default_factory=list)
    """Oldest first."""

    def reserve(self, campaign: str, amounts: Mapping[str, int], *, ahead_minor: int) -> bool:
        """Reserve an amount for each player, or nothing where the budget does not cover all.

        The budget must also leave what those need who wait longer.
        """
        if self.budget[campaign] < sum(amounts.values()) + ahead_minor:
            return False
        self.budget[campaign] -= sum(amounts.values())
        self.held.update(amounts)
        return True

    def give_back(self, campaign: str, amounts: Mapping[str, int]) -> None:
        self.held.subtract(amounts)
        self.budget[campaign] += sum(amounts.values())

    def release(self, amounts: Mapping[str, int]) -> None:
        self.held.subtract(amounts)
        for player_id, minor in amounts.items():
            self._earn(player_id, minor)

    def credit(self, campaign: str, amounts: Mapping[str, int], *, ahead_minor: int) -> bool:
        """Credit unless the budget does not cover it, with what the credit itself recovers."""
        recovered = sum(
            minor
            for player_id, earned in amounts.items()
            for debt, minor in self._recoverable(player_id, earned)
            if debt.campaign == campaign
        )
        net_minor = sum(amounts.values()) - recovered
        if net_minor > 0 and self.budget[campaign] < net_minor + ahead_minor:
            return False
        self.budget[campaign] -= sum(amounts.values())
        for player_id, minor in amounts.items():
            self._earn(player_id, minor)
        return True

    def take_back(self, reward: RewardKey, campaign: str, player_id: str, minor: int) -> None:
        """Take what is available; the rest was spent and is owed."""
        there = min(self.available[player_id], minor)
        self.available[player_id] -= there
        self.budget[campaign] += there
        if minor > there:
            self.debts.append(Debt(player_id, reward, campaign, minor - there))

    def reinstate(
        self, campaign: str, wanted: Mapping[str, tuple[RewardKey, int]], *, ahead_minor: int
    ) -> bool:
        """Forgive each reward's own debt first and credit the rest, all of it or nothing."""
        rest: dict[str, int] = {}
        own: list[tuple[Debt, int]] = []
        for player_id, (reward, minor) in wanted.items():
            mine = [debt for debt in self.debts if debt.reward == reward]
            forgiven = min(minor, sum(debt.minor for debt in mine))
            own += [(debt, debt.minor) for debt in mine]
            rest[player_id] = minor - forgiven
        others = Purse(self.available, self.held, self.spent, self.budget, [])
        others.debts = [d for d in self.debts if all(d is not debt for debt, _ in own)]
        if not others.credit(campaign, rest, ahead_minor=ahead_minor):
            return False
        self.debts = others.debts
        return True

    def spend(self, player_id: str, minor: int) -> bool:
        if self.available[player_id] < minor:
            return False
        self.available[player_id] -= minor
        self.spent[player_id] += minor
        return True

    def unspend(self, player_id: str, minor: int) -> None:
        self.spent[player_id] -= minor
        self.available[player_id] += minor

    def defund(self, campaign: str, minor: int) -> bool:
        if self.budget[campaign] < minor:
            return False
        self.budget[campaign] -= minor
        return True

    def balances(self) -> dict[tuple[str, str], int]:
        """Return what each account must hold, by book and owner; empty ones are left out."""
        owed = Counter[str]()
        recoverable = Counter[str]()
        for debt in self.debts:
            owed[debt.player_id] -= debt.minor
            recoverable[debt.campaign] += debt.minor
        books = {
            "available": self.available,
            "held": self.held,
            "spent": self.spent,
            "campaign": self.budget,
            "owed": owed,
            "recoverable": recoverable,
        }
        return {(b, owner): m for b, minors in books.items() for owner, m in minors.items() if m}

    def _earn(self, player_id: str, minor: int) -> None:
        for debt, recovered in self._recoverable(player_id, minor):
            debt.minor -= recovered
            self.budget[debt.campaign] += recovered
            minor -= recovered
        self.available[player_id] += minor
        self.debts = [debt for debt in self.debts if debt.minor]

    def _recoverable(self, player_id: str, minor: int) -> list[tuple[Debt, int]]:
        found = []
        for debt in self.debts:
            if debt.player_id == player_id and minor:
                found.append((debt, min(minor, debt.minor)))
                minor -= found[-1][1]
        return found
