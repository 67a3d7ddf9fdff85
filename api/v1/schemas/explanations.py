"""Bodies of explanations."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from api.v1.schemas.evidence import MetConditionOut
from api.v1.schemas.fields import MoneyOut, RequestBody, ResponseBody
from domain.campaigns.conditions.evaluation import write_judged
from domain.campaigns.limits.decision import Limit, LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import RewardType
from domain.money import RewardKind, clamp_sum
from referrals.campaigns.limits import Allowance
from referrals.campaigns.wording.condition_words import ConditionWording
from referrals.reporting.explanations import ExplainedLeaf, Explanation


class ExplainIn(RequestBody):
    """The referral to explain, and by which version of the campaign."""

    referral_id: UUID
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Number of the version; the one that the referral was promised"
    )


class JudgedOut(MetConditionOut):
    """A leaf of the condition with the value that it met."""

    words: str = Field(
        description="What the leaf asks, in a sentence of the asked language",
        examples=["deposit amount is at least $20"],
    )

    @classmethod
    def of_leaf(cls, one: ExplainedLeaf, wording: ConditionWording) -> Self:
        return cls(words=wording.leaf(one.leaf), **write_judged(one.judged))


class ExplainedRewardOut(ResponseBody):
    """A reward that the referral would get."""

    to: RewardType
    kind: RewardKind
    amount: MoneyOut
    computation: dict[str, Any] = Field(description="How the amount is found")


class UsageOut(ResponseBody):
    """A number of rewards and an amount; null for what is not limited."""

    rewards: int | None
    amount: MoneyOut | None


class ExplainedLimitOut(ResponseBody):
    """A limit in its present period, without what the referral itself has of it."""

    of: LimitOf
    per: Per
    used: UsageOut
    left: UsageOut

    @classmethod
    def of_allowance(cls, one: Allowance) -> Self:
        limit, used = one.limit, one.used
        return cls(
            of=limit.of,
            per=limit.per,
            used=_usage(limit, used.rewards, used.minor),
            left=_usage(
                limit,
                max(0, (limit.rewards or 0) - used.rewards),
                max(0, (limit.amount.minor if limit.amount else 0) - used.minor),
            ),
        )


class ExplanationOut(ResponseBody):
    """The judgement of a referral's recorded facts."""

    version: int = Field(description="The version that it was judged by")
    variant: str | None = Field(
        description="The variant whose rewards it shows; null where the version has none",
        examples=["fifteen"],
    )
    qualifies: bool = Field(description="Whether a deposit qualifies by all facts recorded now")
    condition: str | None = Field(
        description="The whole condition in the asked language; null where the version has none",
        examples=["All of these (deposit amount is at least $20; deposit method is card)"],
    )
    conditions: list[JudgedOut] = Field(
        description="Each leaf of the condition, judged by the deposit that qualifies, else by the"
        " newest"
    )
    rewards: list[ExplainedRewardOut] = Field(description="Empty where nothing qualifies")
    limits: list[ExplainedLimitOut] = Field(description="The limits in the order of the terms")

    @classmethod
    def of_explanation(cls, found: Explanation, wording: ConditionWording) -> Self:
        return cls(
            version=found.version,
            variant=found.variant,
            qualifies=found.qualifies,
            condition=str(wording.tree(found.condition)) if found.condition else None,
            conditions=[JudgedOut.of_leaf(one, wording) for one in found.conditions],
            rewards=[ExplainedRewardOut.model_validate(one) for one in found.rewards],
            limits=[ExplainedLimitOut.of_allowance(one) for one in found.limits],
        )


def _usage(limit: Limit, rewards: int, minor: int) -> UsageOut:
    """Return a usage of what the limit limits."""
    amount = clamp_sum(minor, limit.amount.currency) if limit.amount else None
    return UsageOut(
        rewards=None if limit.rewards is None else rewards,
        amount=MoneyOut.model_validate(amount) if amount else None,
    )
