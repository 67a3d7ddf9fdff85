"""Explanations of what one referral would get by a campaign's terms; nothing is written."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.campaigns.routes import CAN_READ, SlugPath
from api.v1.schemas.explanations import ExplainIn, ExplanationOut
from referrals.campaigns.wording.condition_words import ConditionWording
from referrals.localisation.languages import LanguageTag
from referrals.reporting.explanations import UnknownVersionError, explain

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], route_class=StrictRoute)


@router.post(
    "/{slug}/explain",
    dependencies=[CAN_READ],
    responses=problem_responses("unknown_referral", *BODY_PROBLEMS),
)
async def explain_referral(
    slug: SlugPath,
    body: ExplainIn,
    database: Db,
    settings: Config,
    now: Now,
    *,
    language: Annotated[
        LanguageTag, Query(description="Language of `condition` and of the conditions' `words`")
    ] = LanguageTag.ENGLISH,
) -> ExplanationOut:
    """Explain what a referral of the campaign would get by its terms, and why. Writes nothing.

    404 `unknown_referral` for a referral that is not of this campaign; 422 for a version that the
    campaign does not have.
    """
    async with database.snapshot() as session:
        try:
            found = await explain(
                session,
                slug,
                body.referral_id,
                version=body.version,
                at=now,
                tax_year_start=settings.tax_year,
            )
        except UnknownVersionError as fault:
            raise invalid_field("version", "Must be a version of this campaign") from fault
    if found is None:
        raise Problem("unknown_referral")
    return ExplanationOut.of_explanation(found, ConditionWording.in_language(language))
