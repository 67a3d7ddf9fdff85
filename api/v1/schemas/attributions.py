"""Bodies of /v1/attributions: claimed codes, rebinds by support, and the attribution log."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import (
    EventTime,
    Id,
    NonBlankText,
    Reason,
    RequestBody,
    ResponseBody,
)
from domain.attribution.policy import Method
from domain.intake.facts import Choice
from referrals.attribution.log import AttemptKind
from referrals.attribution.rebinds import Status

TypedCode = Annotated[
    NonBlankText,
    Field(max_length=1024, description="The code as typed, or a text with one invitation link"),
]


class ClaimIn(RequestBody):
    """A code that a player typed after signing up."""

    player_id: Id
    code: TypedCode
    occurred_at: EventTime | None = Field(
        default=None,
        description="When it was typed; left out, now. A claim that is reported later than the"
        " campaign's `lateness_grace` counts as typed that long before the report",
    )


class ClaimOut(ResponseBody):
    """The result of a claim."""

    outcome: str = Field(
        description="`bound`; `rebound`: moved from another referral; `known`: bound to this code"
        " before; `waiting`: decided when the signup is reported"
    )
    referral_id: UUID | None
    code: str


class RebindIn(RequestBody):
    """Support's proposal to bind a player to another code."""

    player_id: Id
    code: TypedCode
    reason: Reason


class RebindDecisionIn(RequestBody):
    """A second person's decision. The person is the owner of the API key."""

    decision: Choice
    reason: Reason


class RebindOut(ResponseBody):
    """A proposed rebind, and the decision about it once there is one."""

    rebind_id: UUID
    player_id: str
    code: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    status: Status
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    outcome: str | None = Field(
        description="After an approval: `bound`, `rebound`, `known`, or why the rules refused it"
    )
    referral_id: UUID | None


class CandidateOut(ResponseBody):
    """A touch that was considered."""

    touch_id: UUID
    method: Method
    confidence: float = Field(description="From 0 to 1")
    code: str | None
    campaign: str | None
    at: datetime
    outcome: str = Field(description="`won`, or the reason why it did not count")


class AttemptOut(ResponseBody):
    """An entry of the attribution log: one attempt to attribute a player or bind a referral."""

    attempt_id: str
    attempt: AttemptKind
    player_id: str | None
    outcome: str = Field(description="`bound`, `rebound`, `self`, `known`, `waiting` or a refusal")
    referral_id: UUID | None
    actor: str | None = Field(description="Who proposed and decided a rebind")
    reason: str | None
    decided_at: datetime
    candidates: list[CandidateOut]


class ReplayOut(ResponseBody):
    """The decision, made again from the stored touches and policy."""

    outcome: str
    code: str | None
    agrees: bool = Field(description="Whether it prefers the same touch as the recorded decision")


class DecidedOut(AttemptOut):
    """An attempt together with its replayed decision."""

    decided_again: ReplayOut | None = Field(
        description="Null where the attempt was not decided from touches"
    )
