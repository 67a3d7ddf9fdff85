"""Bodies of explanations."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, field_validator

from api.v1.schemas.fields import MoneyOut, RequestBody, ResponseBody
from domain.campaigns.conditions.values import write_value
from domain.campaigns.rules import RewardKind, RewardType


class ExplainIn(RequestBody):
    """The referral to explain, and by which version of the campaign."""

    referral_id: UUID
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Number of the version; the one that the referral was promised"
    )


class JudgedOut(ResponseBody):
    """A leaf of the condition with the value that it met."""

    path: str = Field(description="Where it stands in the terms", examples=["terms.when.all[0]"])
    field: str = Field(description="Name of the field", examples=["deposit.method"])
    value: Any = Field(description="The value that was judged; null where it is unknown")
    holds: bool = Field(description="Whether the leaf holds")

    @field_validator("value", mode="before")
    @classmethod
    def _show(cls, value: object) -> object:
        return value if value is None else write_value(value)  # type: ignore[arg-type]


class ExplainedRewardOut(ResponseBody):
    """A reward that the referral would get."""

    to: RewardType
    kind: RewardKind
    amount: MoneyOut
    computation: dict[str, Any] = Field(description="How the amount is found")


class ExplanationOut(ResponseBody):
    """The judgement of a referral's recorded facts."""

    version: int = Field(description="The version that it was judged by")
    qualifies: bool = Field(description="Whether a deposit qualifies by all facts recorded now")
    conditions: list[JudgedOut] = Field(
        description="Each leaf of the condition, judged by the deposit that qualifies, else by the"
        " newest"
    )
    rewards: list[ExplainedRewardOut] = Field(description="Empty where nothing qualifies")
    limits: list[dict[str, Any]] = Field(
        default_factory=list, description="Empty so far: the referrer's allowance shows them"
    )
