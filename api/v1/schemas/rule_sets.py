"""Bodies of /v1/rule-sets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic.json_schema import WithJsonSchema

from api.http.errors import invalid_field
from api.v1.schemas.fields import (
    SLUG_PATTERN,
    MoneyOut,
    PlannedTime,
    Reason,
    RequestBody,
    ResponseBody,
)
from domain.fraud.rule import Severity
from domain.fraud.rule_set_drafts import Changes, DraftFault
from domain.fraud.rules import Verdict
from referrals.fraud.rule_set_views import RuleSetStatus

MAX_CAMPAIGNS: Final = 200
MAX_NAMES: Final = 200
"""Bounds the rules and thresholds of a request; there are fewer of them."""
VERSION_PATTERN: Final = r"^[1-9][0-9]{0,8}$"
"""As many digits as always fit the column."""


def _version_text(value: object) -> object:
    """Take a version written as a number, too."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


Name = Annotated[str, StringConstraints(max_length=64)]
Version = Annotated[
    str,
    StringConstraints(pattern=VERSION_PATTERN),
    BeforeValidator(_version_text),
    WithJsonSchema({"type": "string", "pattern": VERSION_PATTERN, "examples": ["2"]}),
]
Weight = Annotated[int, Field(strict=True, ge=0, le=100)]
ThresholdValue = Annotated[int, Field(strict=True, ge=0, le=10**9)]


class ChangesIn(RequestBody):
    """Changes of weights and thresholds; those that are left out stay."""

    weights: Annotated[dict[Name, Weight], Field(max_length=MAX_NAMES)] = Field(
        default_factory=dict, description="Weight by rule; of 0, the rule decides nothing"
    )
    thresholds: Annotated[dict[Name, ThresholdValue], Field(max_length=MAX_NAMES)] = Field(
        default_factory=dict,
        description="Scores from which a reward is held or reviewed, and bounds that rules compare",
    )

    def to_changes(self) -> Changes:
        return Changes(weights=self.weights, thresholds=self.thresholds)


class RuleSetIn(ChangesIn):
    """A new version of the rule set that it is based on."""

    based_on: Version | None = Field(
        default=None, description="The version to be changed; null is the live one"
    )
    reason: Reason
    sample_percent: Annotated[int, Field(strict=True, ge=0, le=100)] | None = Field(
        default=None, description="Share of passing referrals that are paid and reviewed"
    )
    campaigns: Annotated[
        dict[Annotated[str, StringConstraints(pattern=SLUG_PATTERN)], ChangesIn],
        Field(max_length=MAX_CAMPAIGNS),
    ] = Field(
        default_factory=dict,
        description="What is different for single campaigns, by slug; `{}` ends what was",
    )

    def campaign_changes(self) -> Mapping[str, Changes]:
        return {slug: changes.to_changes() for slug, changes in self.campaigns.items()}


class WindowIn(RequestBody):
    """The time whose assessments are scored again."""

    since: PlannedTime = Field(alias="from")
    until: PlannedTime = Field(alias="to", description="Exclusive; later than `from`")

    def check(self) -> None:
        """Raise 422 for a time that ends before it begins."""
        if self.until <= self.since:
            raise invalid_field("to", "Must be later than `from`")


class RuleOut(ResponseBody):
    """A rule of the set."""

    rule: str
    weight: int
    severity: Severity = Field(
        description="`note` weighs nothing, `soft` never holds a reward by itself, `hard` asks for"
        " a review, `certain` rejects"
    )
    words: str


class RuleSetOut(ResponseBody):
    """A version of the rule set. Only its status changes."""

    version: str
    status: RuleSetStatus
    based_on: str | None
    reason: str
    written_by: str
    written_at: datetime
    published_by: str | None = Field(description="Who made it live, the last time")
    published_at: datetime | None
    rules: list[RuleOut]
    weights: dict[str, int]
    thresholds: dict[str, int]
    sample_percent: int
    campaigns: dict[str, Any]
    backtest: dict[str, Any] | None = Field(description="The latest report")


class FatesOut(ResponseBody):
    """Money by what a rule set decides about it."""

    paid: list[MoneyOut]
    held: list[MoneyOut]
    blocked: list[MoneyOut]


class MoneyChangeOut(ResponseBody):
    before: FatesOut
    after: FatesOut


class QueueChangeOut(ResponseBody):
    before: int
    after: int


class VerdictChangeOut(ResponseBody):
    before: Verdict
    after: Verdict
    referrals: int


class TruthOut(ResponseBody):
    """Referrals that a reviewer or a reversal has shown to be fraud, or a reviewer honest."""

    fraud: int
    honest: int
    fraud_stopped_before: int
    fraud_stopped_after: int
    honest_stopped_before: int
    honest_stopped_after: int


class BacktestOut(ResponseBody):
    """Decisions of the rule set beside those of the live one, on the same snapshots."""

    rule_set: str
    baseline: str = Field(description="The live rule set")
    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    assessed: int = Field(description="Referrals, each with its latest snapshot of the time")
    changed: int = Field(description="Referrals with another verdict")
    unreadable: int = Field(description="Referrals whose snapshot this release cannot read")
    verdicts: list[VerdictChangeOut]
    money: MoneyChangeOut
    queue: QueueChangeOut = Field(description="Referrals that ask for a review")
    truth: TruthOut


def invalid_draft(fault: DraftFault) -> Exception:
    return invalid_field(fault.path, fault.message)
