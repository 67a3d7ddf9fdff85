"""Codes that players share, and the offers behind them."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Response

from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.link import offer_texts
from api.link.landing.destinations import referral_link
from api.link.languages import negotiate_language
from api.v1.schemas.campaign_links import TermsTextOut
from api.v1.schemas.codes import CodeIn, CodeOut, OfferOut
from domain.campaigns.terms_texts import text_for
from domain.codes import is_code, normalise_code
from referrals.campaigns import codes, offers
from referrals.campaigns.codes import CodeOutcome, CodeResult
from referrals.campaigns.offers import refusal_of_offer

router = APIRouter(
    prefix="/v1/codes",
    tags=["codes"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("codes:write"))],
)

REFUSALS: Final = {
    CodeOutcome.UNKNOWN_CAMPAIGN: "unknown_campaign",
    CodeOutcome.NOT_OPEN: "campaign_not_open",
    CodeOutcome.TAKEN: "code_taken",
    CodeOutcome.HAS_ANOTHER: "code_exists",
    CodeOutcome.SWITCHED_OFF: "switched_off",
    CodeOutcome.NOT_IN_AUDIENCE: "not_in_audience",
}

NO_DEFAULT: Final = (
    "Create and publish it by POST /v1/campaigns and POST /v1/campaigns/{slug}/publish, or name"
    " another one as `campaign`."
)
OTHER: Final = "GET /v1/campaigns lists those that exist."


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": CodeOut, "description": "The code that the player already has"},
        **problem_responses(*REFUSALS.values(), *BODY_PROBLEMS),
    },
)
async def give_code(
    body: CodeIn, answer: Response, database: Db, settings: Config, now: Now
) -> CodeOut:
    """Return the player's code in a campaign, creating it when there is none.

    201 with a new code, 200 with the existing one: there is one per player and campaign, so
    repeating the call is safe. Without `vanity` the code is random. 409 `code_exists` when the
    player has another code than the `vanity` one, `code_taken` when it is another player's, and
    `campaign_not_open` for a draft or ended campaign, and for one that has not begun unless
    `campaign` names it, `switched_off` while its kill switch is off, `not_in_audience` where the
    campaign is not for players of these `segments`; 404 `unknown_campaign`.
    """
    async with database.transaction() as session:
        given = await codes.get_or_create_code(
            session,
            player_id=body.player_id,
            campaign=body.campaign,
            vanity=body.vanity,
            at=now,
            before_start="campaign" in body.model_fields_set,
            segments=body.segments,
            accepted=body.acceptance(),
        )
    if given.code is None or given.outcome in REFUSALS:
        raise _refusal(given, body)
    answer.status_code = 201 if given.outcome is CodeOutcome.NEW else 200
    link = referral_link(settings, given.code)
    return CodeOut(code=given.code, link=link, player_id=body.player_id, campaign=body.campaign)


def _refusal(given: CodeResult, body: CodeIn) -> Problem:
    outcome = given.outcome
    if outcome is CodeOutcome.UNKNOWN_CAMPAIGN:
        named = "" if "campaign" in body.model_fields_set else NO_DEFAULT
        return Problem(REFUSALS[outcome], f"There is no campaign {body.campaign}. {named or OTHER}")
    return Problem(REFUSALS[outcome], given.reason)


@router.get("/{code}", responses=problem_responses("unknown_code"))
async def show_code(
    code: str,
    answer: Response,
    database: Db,
    now: Now,
    accept_language: Annotated[str, Header()] = "",
) -> OfferOut:
    """Return the offer behind a code, and whether it takes invitations now.

    Codes are case-insensitive. Texts are English, or `es`, `pt`, `fr` or `de` by `Accept-Language`.
    404 `unknown_code`.
    """
    requested_code = normalise_code(code)
    if not is_code(requested_code):
        raise Problem("unknown_code")
    async with database.reading() as session:
        offer = await offers.find(session, requested_code)
    if offer is None:
        raise Problem("unknown_code")
    language = negotiate_language(accept_language)
    text = text_for(offer.link.terms_texts, None)
    terms_url = text.url if text else offer.link.terms_url
    answer.headers["Content-Language"] = language.tag
    answer.headers["Vary"] = "Accept-Language"
    return OfferOut(
        code=offer.code,
        campaign=offer.campaign,
        active=refusal_of_offer(offer, at=now) is None,
        headline=offer_texts.referrer_headline(offer.terms, language),
        terms=offer_texts.referrer_terms(offer.terms, language, terms_url=terms_url),
        terms_texts=[TermsTextOut.model_validate(text) for text in offer.link.terms_texts],
        no_inducement_in=list(offer.link.no_inducement_in),
    )
