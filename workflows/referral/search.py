"""The search attributes by which an engineer finds a referral in the Temporal UI."""

from typing import Final

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from domain.lifecycle.referral import Referral, Stage

STAGE: Final = SearchAttributeKey.for_keyword("ReferralStage")
CAMPAIGN: Final = SearchAttributeKey.for_keyword("CampaignId")
REFERRER: Final = SearchAttributeKey.for_keyword("ReferrerId")
REFEREE: Final = SearchAttributeKey.for_keyword("RefereeId")
RISK: Final = SearchAttributeKey.for_int("RiskScore")
ALL: Final = (STAGE, CAMPAIGN, REFERRER, REFEREE, RISK)


def of_referral(referral: Referral) -> TypedSearchAttributes:
    """Given at the start and at continue-as-new, where they cost nothing."""
    pairs = [
        SearchAttributePair(STAGE, referral.standing.stage.value),
        SearchAttributePair(CAMPAIGN, referral.campaign),
        SearchAttributePair(REFERRER, referral.referrer_id),
    ]
    if referral.referee_id:
        pairs.append(SearchAttributePair(REFEREE, referral.referee_id))
    return TypedSearchAttributes(pairs)


def of_signup(referee_id: str) -> list[SearchAttributeUpdate[str]]:
    return [STAGE.value_set(Stage.SIGNED_UP.value), REFEREE.value_set(referee_id)]


def review_updates(score: int) -> tuple[SearchAttributeUpdate[str], SearchAttributeUpdate[int]]:
    return STAGE.value_set(Stage.HELD.value), RISK.value_set(score)
