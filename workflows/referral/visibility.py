"""A referral in the Temporal UI: its search attributes, and its present state in Markdown."""

from typing import Final

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from activities.messages import ActRequest
from domain.lifecycle.referral import Referral, Stage, Standing

STAGE: Final = SearchAttributeKey.for_keyword("ReferralStage")
CAMPAIGN: Final = SearchAttributeKey.for_keyword("CampaignId")
REFERRER: Final = SearchAttributeKey.for_keyword("ReferrerId")
REFEREE: Final = SearchAttributeKey.for_keyword("RefereeId")
RISK: Final = SearchAttributeKey.for_int("RiskScore")
SEARCH_ATTRIBUTES: Final = (STAGE, CAMPAIGN, REFERRER, REFEREE, RISK)

SHOWN_ID_LENGTH: Final = 64
WAITS_FOR: Final = {
    Stage.INVITED: "the signup",
    Stage.SIGNED_UP: "a qualifying deposit",
    Stage.HELD: "a reviewer's decision, or the end of the hold period",
    Stage.DEFERRED: "a top-up of the campaign's budget, or the campaign's end",
    Stage.REWARDED: "a refund or chargeback, until the chargeback window closes",
    Stage.REVERSED: "a chargeback won, until the chargeback window closes",
}


def referral_attributes(referral: Referral) -> TypedSearchAttributes:
    """Return the attributes to set at a start and at continue-as-new, where they cost no action."""
    pairs = [
        SearchAttributePair(STAGE, referral.standing.stage.value),
        SearchAttributePair(CAMPAIGN, referral.campaign),
        SearchAttributePair(REFERRER, referral.referrer_id),
    ]
    if referral.referee_id:
        pairs.append(SearchAttributePair(REFEREE, referral.referee_id))
    return TypedSearchAttributes(pairs)


def signup_updates(referee_id: str) -> list[SearchAttributeUpdate[str]]:
    return [STAGE.value_set(Stage.SIGNED_UP.value), REFEREE.value_set(referee_id)]


_UNSHOWN_STAGES: Final = frozenset({Stage.SIGNED_UP, Stage.SETTLED, Stage.EXPIRED})
"""Stages whose entering sets no attribute by itself: a signup sets it with the referee; the ends
that most referrals come to are the result of a closed workflow, since setting the attribute would
be one more billed action for each."""


def shows_entering(stage: Stage, *, shown: Stage) -> bool:
    """Return whether the attribute must be set; crediting leads to continue-as-new, which does."""
    if stage is Stage.REWARDED:
        return shown is Stage.REVERSED
    return stage is not shown and stage not in _UNSHOWN_STAGES


def stage_updates(
    stage: Stage, score: int
) -> list[SearchAttributeUpdate[str] | SearchAttributeUpdate[int]]:
    """Return the attributes of a stage that is entered, with the score where it is held."""
    shown: list[SearchAttributeUpdate[str] | SearchAttributeUpdate[int]] = [
        STAGE.value_set(stage.value)
    ]
    return [*shown, RISK.value_set(score)] if stage is Stage.HELD and score else shown


def review_updates(score: int) -> tuple[SearchAttributeUpdate[str], SearchAttributeUpdate[int]]:
    return STAGE.value_set(Stage.HELD.value), RISK.value_set(score)


def details_markdown(referral: Referral, standing: Standing) -> str:
    waits_for = WAITS_FOR.get(standing.stage)
    waiting = (
        f"{waits_for}, until {standing.until:%Y-%m-%d %H:%M:%S %Z}" if waits_for else "nothing"
    )
    return "\n".join(
        (
            f"**{standing.stage}**",
            f"- waits for: {waiting}",
            f"- referrer: `{referral.referrer_id}`, code `{referral.code}`",
            f"- referee: `{referral.referee_id or 'not known yet'}`",
            f"- campaign: `{referral.campaign}`",
            *filter(None, (standing.note,)),
        )
    )


def timer_summary(standing: Standing) -> str:
    """Return what the timer of a waiting referral is for, as the Temporal UI shows it."""
    return f"{standing.stage}: wait for {WAITS_FOR.get(standing.stage, 'late facts')}"


def act_summary(what: str, request: ActRequest) -> str:
    """Return what an act is asked for and given, in the 400 bytes that Temporal keeps of it.

    The event of a local activity has its outcome but not its input.
    """
    told = [*(fact.event_id for fact in request.heard.facts), *request.because_of]
    first = f", {told[0]:.{SHOWN_ID_LENGTH}}" if told and told[0].isascii() else ""
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{what} (at {request.standing.stage}{first}{more})"
