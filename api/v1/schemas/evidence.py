"""Bodies of a referral's facts and of a reward's evidence."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, field_validator

from api.v1.schemas.fields import MoneyOut, ResponseBody, ShownEventId
from api.v1.schemas.referrals import AssessmentOut, HoldOut, ReferralOut, RewardOut
from api.v1.schemas.reviews import ReviewOut
from api.v1.schemas.terms import TermsOut
from domain.campaigns.conditions.values import write_value
from domain.intake.facts import FactKind
from domain.ledger.movements import Book, Movement
from domain.rewards.fact_effect import FactEffect

_CODES = "\n".join(
    f"- `{effect}` ({'counts' if effect.counts else 'does not count'}): {effect.text}"
    for effect in FactEffect
)


class FactOut(ResponseBody):
    """A fact of a referral's pair, and what it does for the referral."""

    kind: FactKind
    event_id: ShownEventId
    source: str = Field(description="Whose event ids these are; `default` unless one is named")
    player_id: str
    occurred_at: datetime
    recorded_at: datetime
    reported_by: str | None = Field(
        description="Owner of the API key, or the topic; null for a signal, and for facts of before"
        " release 0.3"
    )
    request_id: str | None = Field(
        description="`X-Request-Id` of the call, `topic:partition:offset` of the record, or the"
        " workflow of the signal; null for facts of before release 0.3"
    )
    door: str = Field(description="`http`, `kafka`, or `signal` for a signal to the workflow")
    amount: MoneyOut | None = Field(
        description="Of a deposit, a wager or a chargeback; null for a chargeback of the whole"
        " deposit"
    )
    deposit_id: str | None = Field(description="The deposit that a deposit or chargeback names")
    detail: str | None = Field(
        description="The kind of a chargeback, the status of a player, the choice of a decision"
    )
    counts: bool = Field(description="Whether the fact has an effect on the referral today")
    reason_code: FactEffect = Field(description=f"Its effect, or why it has none.\n\n{_CODES}")
    reason: str = Field(description="The reason code in words")


class EvidenceAssessmentOut(AssessmentOut):
    """The assessment that the reward rests on. The evidence has counts and flags only."""

    evidence: dict[str, Any]
    deposit_event_id: ShownEventId


class ListedAssessmentOut(AssessmentOut):
    """An assessment of a referral: at its signup, when it qualified, or again before a release."""

    evidence: dict[str, Any] = Field(
        description="The snapshot that was scored: counts and flags, nobody's values",
        examples=[{"version": 2, "same_player": False}],
    )
    deposit_event_id: ShownEventId | None = Field(
        description="The deposit that qualified; null for the one at the signup, which decides"
        " nothing"
    )
    ineligible: list[str] = Field(
        description="At the signup: who of the pair could not be credited, and why",
        examples=[["referrer:closed"]],
    )


class ListedAssessmentsOut(ResponseBody):
    """The assessments of a referral, oldest first; of more than 200 the latest."""

    items: list[ListedAssessmentOut]


class EvidenceHoldOut(HoldOut):
    """A hold that the referral had; open while `cleared_at` is null."""

    hold_id: UUID | None
    attempt: int
    cleared_at: datetime | None
    cleared_by: str | None = Field(description="A reviewer, or `facts`: an event or the time")


class VersionOut(ResponseBody):
    """The version of the campaign whose terms were promised at the invitation."""

    campaign_version_id: UUID
    campaign: str
    version: int
    name: str
    author: str
    created_at: datetime


class MetConditionOut(ResponseBody):
    """A leaf of a condition, as it was judged by a deposit."""

    path: str = Field(description="Where it stands in the terms", examples=["terms.when.all[0]"])
    field: str = Field(description="Name of the field", examples=["deposit.method"])
    value: Any = Field(
        description="The value that was judged; null where it is unknown", examples=["card"]
    )
    holds: bool = Field(description="Whether the leaf holds for it")

    @field_validator("value", mode="before")
    @classmethod
    def _show(cls, value: object) -> object:
        return value if value is None else write_value(value)  # type: ignore[arg-type]


class QualificationOut(ResponseBody):
    """The deposits that earned the reward; before release 0.3 they had no id and no attempt."""

    qualification_id: UUID | None
    attempt: int | None
    event_ids: list[ShownEventId] = Field(description="The deposits it rests on; see `facts`")
    met_at: datetime | None = Field(description="Event time at which they met the terms")
    left: MoneyOut | None = Field(description="What is left of the deposits today")
    due: MoneyOut = Field(description="What the reward should be by today's facts and its terms")
    conditions: list[MetConditionOut] = Field(
        description="Each leaf of the campaign's condition with the value by which it was judged"
        " when they met the terms; empty without a condition, and before release 0.3"
    )


class EntryOut(ResponseBody):
    """One account's line of a transfer."""

    entry_id: int
    account_id: UUID
    account: Book
    player_id: str | None
    campaign_id: UUID | None
    amount: MoneyOut
    direction: Literal["in", "out"]
    balance_after: MoneyOut | None = Field(
        description="The account's balance, a debt as a positive amount; null where the balance is"
        " the sum of the entries"
    )


class TransferOut(ResponseBody):
    """A movement of the reward's money with its ledger entries."""

    transfer_id: UUID
    movement: Movement
    amount: MoneyOut
    reward_id: UUID | None = Field(
        description="Another reward's where this one paid what its player owed of that"
    )
    referral_id: UUID | None = Field(description="The referral whose act posted it")
    reported_by: str | None = Field(
        description="Who made it: the owner of the API key or the person; of an act, the reporter"
        " of the newest event that it read. Null for a signal, and before release 0.3"
    )
    request_id: str | None = Field(
        description="The request of that reporter, as a fact has it; null before release 0.3"
    )
    at: datetime
    recorded_at: datetime
    entries: list[EntryOut]


class AuditOut(ResponseBody):
    """An action of a person, with the reason given."""

    audit_id: int
    actor: str
    action: str
    subject: str
    reason: str
    request_id: str | None
    at: datetime


class EvidenceOut(ResponseBody):
    """Everything behind a reward, from the events to the entries; lists have at most 200 items."""

    reward: RewardOut
    referral: ReferralOut
    terms: TermsOut = Field(description="As promised at the invitation")
    campaign_version: VersionOut
    facts: list[FactOut] = Field(
        description="The facts that count, and the deposits that the reward rests on, in the order"
        " in which they happened; GET /v1/referrals/{referral_id}/facts lists all"
    )
    qualification: QualificationOut
    assessment: EvidenceAssessmentOut | None
    holds: list[EvidenceHoldOut]
    decisions: list[ReviewOut] = Field(description="Reviews that a person decided")
    transfers: list[TransferOut]
    audit: list[AuditOut] = Field(
        description="What people did about the reviews, the referee and this version of the"
        " campaign; without top-ups of its budget"
    )
