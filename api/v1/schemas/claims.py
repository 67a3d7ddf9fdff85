"""Codes typed after the signup, rebinds by support, and the attribution log."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import Id, Line, PastTime, RequestBody, ResponseBody, Text
from db.tables import Rebind
from domain.attribution.policy import Method
from domain.intake.facts import Choice
from referrals.attribution.log import AttemptKind
from referrals.attribution.log_views import AttemptView, Replay
from referrals.attribution.rebinds import Status


class ClaimIn(RequestBody):
    """A player typed a code after signing up; `occurred_at` is when, and now when left out.

    What is told more than the campaign's `lateness_grace` after that counts as typed so long ago.
    """

    player_id: Id
    code: Annotated[Text, Field(max_length=1024)]
    occurred_at: PastTime | None = None


class ClaimOut(ResponseBody):
    outcome: str = Field(
        description="`bound`; `rebound` from another referral; `known`: bound to it before;"
        " `waiting`: decided as soon as the signup is heard"
    )
    referral_id: UUID | None
    code: str


class RebindIn(RequestBody):
    """Support's wish to bind a player to another code, and why."""

    player_id: Id
    code: Line
    reason: Annotated[Text, Field(max_length=500)]


class RebindDecisionIn(RequestBody):
    """A second person's word; the person is the owner of the API key."""

    decision: Choice
    reason: Annotated[Text, Field(max_length=500)]


class RebindOut(ResponseBody):
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
    outcome: str | None
    referral_id: UUID | None

    @classmethod
    def of(cls, row: Rebind) -> Self:
        shown = {name: getattr(row, name) for name in cls.model_fields if name != "rebind_id"}
        return cls.model_validate({**shown, "rebind_id": row.id})


class CandidateOut(ResponseBody):
    """A touch that was weighed; `outcome` is `won`, or why it does not count."""

    touch_id: UUID
    method: Method
    confidence: float
    code: str | None
    campaign: str | None
    at: datetime
    outcome: str


class AttemptOut(ResponseBody):
    attempt_id: str
    attempt: AttemptKind
    player_id: str | None
    outcome: str
    referral_id: UUID | None
    actor: str | None
    reason: str | None
    decided_at: datetime
    candidates: list[CandidateOut]


class ReplayOut(ResponseBody):
    outcome: str
    code: str | None
    agrees: bool


class DecidedOut(AttemptOut):
    """`decided_again` is the decision from the stored touches and policy; null where none was."""

    decided_again: ReplayOut | None

    @classmethod
    def of(cls, view: AttemptView, replay: Replay | None) -> Self:
        shown = {name: getattr(view, name) for name in AttemptOut.model_fields}
        return cls.model_validate({**shown, "decided_again": replay})
