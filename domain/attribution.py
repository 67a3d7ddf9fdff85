"""The decision that a signup belongs to a referral: pure, explained, and the same every time."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Method(StrEnum):
    REFERRAL_TOKEN = "referral_token"
    TYPED_CODE = "typed_code"
    SIGNAL = "signal"


class Refusal(StrEnum):
    """Why a signup, or one way of attributing it, belongs to nobody."""

    NO_CLAIM = "no_claim"
    EXISTING_PLAYER = "existing_player"
    FORGED_TOKEN = "forged_token"
    EXPIRED_TOKEN = "expired_token"
    UNKNOWN_REFERRAL = "unknown_referral"
    UNKNOWN_CODE = "unknown_code"
    CAMPAIGN_ENDED = "campaign_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One way in which a signup says who brought it, and what became of looking it up.

    Exactly one of `refusal` and `code` is set. `referral_id` is the invitation that it continues;
    without one, binding opens a new referral of the same code.
    """

    method: Method
    code: str | None = None
    referral_id: UUID | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    method: Method
    confidence: float
    code: str
    referral_id: UUID | None


@dataclass(frozen=True, slots=True)
class Unattributed:
    reason: Refusal


CONFIDENCE = {Method.REFERRAL_TOKEN: 1.0, Method.TYPED_CODE: 1.0, Method.SIGNAL: 1.0}


def attribute(claims: tuple[Claim, ...]) -> Attribution | Unattributed:
    """The first claim that holds wins; claims come in the order of the campaign's preference."""
    for claim in claims:
        if claim.refusal is None and claim.code is not None:
            return Attribution(
                method=claim.method,
                confidence=CONFIDENCE[claim.method],
                code=claim.code,
                referral_id=claim.referral_id,
            )
    refusals = [claim.refusal for claim in claims if claim.refusal]
    return Unattributed(refusals[0] if refusals else Refusal.NO_CLAIM)
