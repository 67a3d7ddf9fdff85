"""English words of conditions, by which the catalogues of the other languages are looked up."""

from collections.abc import Mapping
from typing import Final

from domain.campaigns.conditions.fields import Operator

WEEKDAY: Final = "time.weekday"

LABELS: Final[Mapping[str, str]] = {
    "deposit.amount": "deposit amount",
    "deposit.method": "deposit method",
    "deposit.jurisdiction": "deposit jurisdiction",
    "deposits.count": "number of deposits",
    "deposits.total": "total of deposits",
    "turnover.total": "total of stakes",
    "referee.jurisdiction": "referee jurisdiction",
    "referee.platform": "referee platform",
    "referee.currency": "referee currency",
    "referee.verified": "referee verification",
    "referrer.jurisdiction": "referrer jurisdiction",
    "referrer.verified": "referrer verification",
    "referrer.has_deposited": "first deposit of the referrer",
    "referrer.account_age": "referrer account age",
    "referrer.rewarded": "number of rewarded friends",
    "attribution.method": "attribution method",
    "share.channel": "share channel",
    WEEKDAY: "weekday of the deposit",
    "time.hour": "hour of the deposit",
}
STATEMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "referee.verified": ("the referee is verified", "the referee is not verified"),
    "referrer.verified": ("the referrer is verified", "the referrer is not verified"),
    "referrer.has_deposited": ("the referrer has deposited", "the referrer has not deposited"),
}
"""Sentences of the boolean fields, for true and for false."""
OR_UNKNOWN: Final = "%(statement)s, or that is not known"
"""Sentence of `ne` for a boolean field, which holds for an unknown value as well."""
KNOWN: Final = ("%(field)s is known", "%(field)s is not known")
"""Sentences of `exists`, for true and for false."""
COMPARISONS: Final[Mapping[Operator, str]] = {
    Operator.EQ: "%(field)s is %(value)s",
    Operator.NE: "%(field)s is not %(value)s",
    Operator.IN: "%(field)s is one of %(value)s",
    Operator.NOT_IN: "%(field)s is none of %(value)s",
    Operator.GT: "%(field)s is more than %(value)s",
    Operator.GTE: "%(field)s is at least %(value)s",
    Operator.LT: "%(field)s is less than %(value)s",
    Operator.LTE: "%(field)s is at most %(value)s",
}
WEEKDAY_COMPARISONS: Final[Mapping[Operator, str]] = {
    **COMPARISONS,
    Operator.GT: "%(field)s is after %(value)s",
    Operator.GTE: "%(field)s is %(value)s or later",
    Operator.LT: "%(field)s is before %(value)s",
    Operator.LTE: "%(field)s is %(value)s or earlier",
}
"""Sentences of weekdays, whose week begins on Monday."""
CHOICES: Final[Mapping[str, str]] = {
    "web": "web",
    "ios": "iOS",
    "android": "Android",
    "manual": "decision by hand",
    "typed_code": "typed code",
    "referral_token": "referral token",
    "universal_link": "universal link",
    "qr_code": "QR code",
    "signal": "signal",
    "install_referrer": "install referrer",
    "clipboard": "clipboard",
    "cookie": "cookie",
    "probabilistic": "guess by device and network",
}
"""Words of the values of fields that name all of theirs; other texts are shown as written."""
YES, NO, UNKNOWN = "yes", "no", "unknown"
ALL, ANY, NOT = "All of these", "At least one of these", "Not"
