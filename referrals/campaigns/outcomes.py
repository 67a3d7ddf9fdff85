"""Outcomes of what people ask of a campaign, and the steps that they may ask for."""

from enum import StrEnum


class TransitionOutcome(StrEnum):
    CHANGED = "changed"
    UNKNOWN = "unknown"
    EXISTS = "exists"
    NOT_ALLOWED = "not_allowed"
    NO_PROPOSAL = "no_proposal"
    SECOND_PERSON = "second_person"
    HAS_ENDED = "has_ended"
    BUDGET_IS_FUNDED = "budget_is_funded"
    INSUFFICIENT = "insufficient"
    OTHER_CURRENCY = "other_currency"
    BEYOND_CEILING = "beyond_ceiling"
    REFERENCE_CONFLICT = "reference_conflict"


class CampaignTransition(StrEnum):
    """A change of status that a person may ask for, beside the publication."""

    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
