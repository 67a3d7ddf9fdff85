"""Rules of a campaign's terms beyond flat cash for any deposit: the third schema of terms."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.campaigns.amounts.amount import Amount, Flat
from domain.campaigns.conditions.tree import Condition, mentions
from domain.campaigns.exchange.rate_table import RateTable
from domain.campaigns.limits.decision import Limit
from domain.money import Money, RewardKind


class RewardType(StrEnum):
    REFERRER = "referrer"
    REFEREE = "referee"


class RewardKey(NamedTuple):
    """Side and kind: a referral has at most one reward of each."""

    to: RewardType
    kind: RewardKind = RewardKind.CASH


class QualifyingAction(StrEnum):
    ANY_DEPOSIT = "any_deposit"
    """The earliest deposit that meets the minimum and the condition."""
    FIRST_DEPOSIT = "first_deposit"
    """The very first settled deposit decides."""
    TOTAL_DEPOSITS = "total_deposits"
    """The deposit with which the sum within the window reaches the minimum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRule:
    """A reward of one kind to one side, and how its amount is found."""

    to: RewardType
    kind: RewardKind
    amount: Amount

    @property
    def key(self) -> RewardKey:
        return RewardKey(self.to, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    rewards: tuple[RewardRule, ...] = ()
    """In place of the terms' flat rewards, which are zero then; empty where those are promised."""
    on: QualifyingAction = QualifyingAction.ANY_DEPOSIT
    turnover: Money | None = None
    """Settled stakes within the deposit window that must be reached, too."""
    when: Condition | None = None
    limits: tuple[Limit, ...] = ()
    currencies: tuple[str, ...] = ()
    """Further currencies in which a deposit may qualify, and the rewards are then paid."""
    rate_tables: tuple[tuple[str, RateTable], ...] = ()
    """Tables that count for one referral, by the currency to convert into; not a part of what is
    stored, but looked up for it."""
    paid_in: str | None = None
    """Currency of the rewards that are written for one referral, looked up likewise: only deposits
    in it count from then on."""

    def flat_cash(self, to: RewardType) -> Money | None:
        """Return the flat cash that these rules promise to a side, or None."""
        found = (rule for rule in self.rewards if rule.key == RewardKey(to))
        amounts = (rule.amount.money for rule in found if isinstance(rule.amount, Flat))
        return next(amounts, None)

    @property
    def ask_circumstances(self) -> bool:
        """Return whether more than the referee's deposits decides whether they qualify."""
        return self.when is not None or self.turnover is not None

    @property
    def asks_for_stakes(self) -> bool:
        """Return whether stakes decide about a deposit: by the turnover, or by the condition.

        The database's `asks_for_stakes` says the same of stored terms.
        """
        is_in_condition = self.when is not None and mentions(self.when, "turnover.")
        return self.turnover is not None or is_in_condition


NO_RULES = Rules()
"""Terms of the first two schemas: flat cash for any deposit that meets the minimum."""
