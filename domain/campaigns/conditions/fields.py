"""The fields that conditions may name, with their types and operators."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from domain.money import Money

Value: TypeAlias = str | int | bool | Money | timedelta


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"


class FieldType(StrEnum):
    TEXT = "text"
    JURISDICTION = "jurisdiction"
    CURRENCY = "currency"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    MONEY = "money"
    DURATION = "duration"


ATTRIBUTION_METHODS: Final = (
    "manual",
    "typed_code",
    "referral_token",
    "universal_link",
    "qr_code",
    "signal",
    "install_referrer",
    "clipboard",
    "cookie",
    "probabilistic",
)
"""Methods of attribution, which this package does not import; a test compares them."""
_EQUALITY: Final = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN)
_ORDER: Final = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)

OPERATORS: Final[dict[FieldType, tuple[Operator, ...]]] = {
    FieldType.TEXT: (*_EQUALITY, Operator.EXISTS),
    FieldType.JURISDICTION: (*_EQUALITY, Operator.EXISTS),
    FieldType.CURRENCY: (*_EQUALITY, Operator.EXISTS),
    FieldType.BOOLEAN: (Operator.EQ, Operator.NE, Operator.EXISTS),
    FieldType.INTEGER: (*_EQUALITY, *_ORDER, Operator.EXISTS),
    FieldType.MONEY: (*_EQUALITY, *_ORDER, Operator.EXISTS),
    FieldType.DURATION: (*_EQUALITY, *_ORDER, Operator.EXISTS),
}
"""Operators of each type. No order of texts means anything to a marketer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field, its type, and what its value can be."""

    name: str
    type: FieldType
    description: str
    unit: str | None = None
    least: int = 0
    most: int | None = None
    """Bounds of a whole number."""
    one_of: tuple[str, ...] = ()
    """All texts that it can be; empty where any text may occur."""
    always_known: bool = False

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.type]


_TABLE: Final = (
    Field(
        name="deposit.amount",
        type=FieldType.MONEY,
        unit="minor",
        description="What is left of the deposit after refunds and chargebacks",
        always_known=True,
    ),
    Field(name="deposit.method", type=FieldType.TEXT, description="The deposit's payment method"),
    Field(
        name="deposit.jurisdiction",
        type=FieldType.JURISDICTION,
        description="ISO 3166 code of the place of the deposit",
    ),
    Field(
        name="deposits.count",
        type=FieldType.INTEGER,
        description="Number of the referee's deposits up to this one, this one counted",
        always_known=True,
    ),
    Field(
        name="deposits.total",
        type=FieldType.MONEY,
        unit="minor",
        description="What is left of the referee's deposits up to this one, this one counted",
        always_known=True,
    ),
    Field(
        name="turnover.total",
        type=FieldType.MONEY,
        unit="minor",
        description="The referee's settled stakes within the deposit window",
    ),
    Field(
        name="referee.jurisdiction",
        type=FieldType.JURISDICTION,
        description="ISO 3166 code of the referee's signup",
    ),
    Field(
        name="referee.platform",
        type=FieldType.TEXT,
        description="Platform of the referee's signup",
        one_of=("web", "ios", "android"),
    ),
    Field(
        name="referee.currency",
        type=FieldType.CURRENCY,
        description="ISO 4217 currency of the referee's account",
    ),
    Field(
        name="referee.verified",
        type=FieldType.BOOLEAN,
        description="Whether KYC passed the referee",
    ),
    Field(
        name="referrer.jurisdiction",
        type=FieldType.JURISDICTION,
        description="ISO 3166 code of the referrer's signup",
    ),
    Field(
        name="referrer.verified",
        type=FieldType.BOOLEAN,
        description="Whether KYC passed the referrer",
    ),
    Field(
        name="referrer.has_deposited",
        type=FieldType.BOOLEAN,
        description="Whether the referrer has a settled deposit",
    ),
    Field(
        name="referrer.account_age",
        type=FieldType.DURATION,
        unit="ISO 8601",
        description="Time since the referrer's signup",
    ),
    Field(
        name="referrer.rewarded",
        type=FieldType.INTEGER,
        description="Number of the referrer's rewarded referrals of this campaign",
        always_known=True,
    ),
    Field(
        name="attribution.method",
        type=FieldType.TEXT,
        description="Method by which the signup was attributed to the referral",
        one_of=ATTRIBUTION_METHODS,
        always_known=True,
    ),
    Field(
        name="share.channel",
        type=FieldType.TEXT,
        description="Channel of the code's latest share before the click",
    ),
    Field(
        name="time.weekday",
        type=FieldType.INTEGER,
        unit="1 Monday to 7 Sunday",
        description="Day of the week of the deposit, in the campaign's zone",
        least=1,
        most=7,
        always_known=True,
    ),
    Field(
        name="time.hour",
        type=FieldType.INTEGER,
        unit="0 to 23",
        description="Hour of the deposit, in the campaign's zone",
        most=23,
        always_known=True,
    ),
)
FIELDS: Final = {field.name: field for field in _TABLE}
