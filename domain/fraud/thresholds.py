"""Thresholds of a rule set: the bands of the score, and the bounds that its predicates compare."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

_HOUR_S = 3_600
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Whole numbers of a rule set; a name that ends in `_s` is in seconds.

    Raises ValueError for bands in the wrong order and for negative numbers.
    """

    hold: int = 40
    """Lowest score, of 100, that holds a reward for `hold_s` before it is scored again."""
    review: int = 50
    """Lowest score that a person has to review."""
    hold_s: int = 3 * _DAY_S
    same_address_gap_s: int = 10 * 60
    crowd: int = 4
    """Least other referees of the referrer in one network that make a crowd: more than a household
    has grown-up members beside the referrer and the referee."""
    hasty_deposit_s: int = 5 * 60
    quick_withdrawal_s: int = 2 * _DAY_S
    regular_spacing_percent: int = 15
    """Highest variation of the times between signups that counts as regular."""
    least_referees: int = 2
    """Referees before it says anything that they deposit and withdraw alike."""
    least_judged_referees: int = 4
    """Referees before it says anything how many of them were flagged or taken back."""
    flagged_referees_percent: int = 30
    charged_back_percent: int = 30
    alike_referees_percent: int = 80
    alike_withdrawals_percent: int = 50
    new_referrer_s: int = 7 * _DAY_S
    ring_chain: int = 2
    ring_star: int = 2
    velocity_device_1h: int = 2
    velocity_device_24h: int = 3
    velocity_device_30d: int = 4
    velocity_network_1h: int = 5
    velocity_network_24h: int = 10
    velocity_network_30d: int = 40
    velocity_code_1h: int = 5
    velocity_code_24h: int = 20
    velocity_code_30d: int = 100
    velocity_referrer_1h: int = 5
    velocity_referrer_24h: int = 20
    velocity_referrer_30d: int = 100
    velocity_campaign_1h: int = 500
    velocity_campaign_24h: int = 5_000
    velocity_campaign_30d: int = 50_000

    def __post_init__(self) -> None:
        if any(getattr(self, field.name) < 0 for field in fields(self)):
            raise ValueError("A threshold must not be negative")
        if not 0 < self.hold <= self.review <= 100:
            raise ValueError("Thresholds must be 0 < hold <= review <= 100")

    def velocity(self, of: str, window: str) -> int:
        """Return the highest count that is not fast; AttributeError for an unknown window."""
        bound: int = getattr(self, f"velocity_{of}_{window}")
        return bound

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Return thresholds where those not stored have their first values.

        Raises ValueError for an unknown name and for what is not a whole number.
        """
        names = {field.name for field in fields(cls)}
        for name, value in stored.items():
            if name not in names:
                raise ValueError(f"{name} is not a threshold")
            if not isinstance(value, int) or isinstance(value, bool):
                raise ValueError(f"{name} must be a whole number")  # noqa: TRY004
        return cls(**stored)
