"""Cases: what a reviewer works on, and the amount above which a second person must agree."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.money import LARGEST_MINOR, decimals_of

_AMOUNT: Final = re.compile(
    r"(?P<units>\d{1,12})(?:\.(?P<fraction>\d{1,4}))?(?: (?P<currency>[A-Z]{3}))?", re.ASCII
)
ANY_CURRENCY: Final = ""


class CaseKind(StrEnum):
    """The kind of a case, by what opened it."""

    HELD = "held"
    LATE_LINK = "late_link"
    """A link between credited players that was learned after the crediting; a rejection takes the
    rewards back."""
    SAMPLE = "sample"
    """A referral that passed, drawn at random to measure what is missed; nothing is taken back."""


class CaseStatus(StrEnum):
    """The status of a case as it is shown; CLAIMED is OPEN with a lease that has not ended."""

    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"
    CLOSED = "closed"
    """Events left nothing to decide."""


class CaseChoice(StrEnum):
    """A reviewer's choice for a case."""

    APPROVE = "approve"
    REJECT = "reject"
    EXTEND = "extend"


class SubjectKind(StrEnum):
    """The kind of what a case is about."""

    CLUSTER = "cluster"
    REFERRER = "referrer"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStanding:
    """The status of a case, and until when its workflow waits for a decision."""

    status: CaseStatus
    due_at: datetime
    escalated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStart:
    """The input of a case's workflow: ids alone."""

    case_id: UUID
    kind: CaseKind
    subject_kind: SubjectKind
    subject: str
    standing: CaseStanding


@dataclass(frozen=True, slots=True)
class SecondPersonLimits:
    """Amounts above which an approval needs a second person."""

    units_by_currency: Mapping[str, str]
    """Decimal amounts by currency; `ANY_CURRENCY` names the one for all others."""

    @classmethod
    def parse(cls, text: str) -> "SecondPersonLimits":
        """Parse `500.00 USD, 450.00 EUR`; ValueError says what is wrong.

        The first amount counts for every currency that is not named, as its like. An amount
        without a currency stands alone: `500,00 USD` would be 500 in all currencies but USD.
        """
        units: dict[str, str] = {}
        parts = [part.strip() for part in text.split(",")]
        for part in parts:
            match = _AMOUNT.fullmatch(part)
            if match is None or (len(parts) > 1 and not match["currency"]):
                raise ValueError("amounts are written as 500.00 USD, separated by commas")
            currency, fraction = match["currency"] or ANY_CURRENCY, match["fraction"] or ""
            if currency in units or len(fraction) > decimals_of(currency):
                raise ValueError("each currency has one amount, in its own decimals")
            units[currency] = f"{match['units']}.{fraction}"
            units.setdefault(ANY_CURRENCY, units[currency])
        return cls(units)

    @property
    def currencies(self) -> AbstractSet[str]:
        """Return the currencies that are named."""
        return self.units_by_currency.keys() - {ANY_CURRENCY}

    def minor(self, currency: str, *, digits: int) -> int:
        """Return the limit in minor units of a currency, of which `digits` make one unit."""
        amount = self.units_by_currency.get(currency, self.units_by_currency[ANY_CURRENCY])
        whole, _, fraction = amount.partition(".")
        return min(int(whole + fraction.ljust(digits, "0")[:digits]), LARGEST_MINOR)


DEFAULT_SECOND_PERSON_ABOVE: Final = "500.00 USD"
DEFAULT_SECOND_PERSON_LIMITS: Final = SecondPersonLimits.parse(DEFAULT_SECOND_PERSON_ABOVE)
