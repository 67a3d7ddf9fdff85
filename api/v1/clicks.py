"""Clicks that a server or an app reports, instead of a browser at /r/{code}."""

from fastapi import APIRouter, Depends, Response

from api.http.authorisation import requires
from api.http.dependencies import Clicks, Config, Hashes, Now, ReferralTokens
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.link.follow import follow, issue_token, pseudonymised_click
from api.v1.schemas.codes import ClickIn, ClickOut
from domain.codes import parse_code
from referrals.attribution.clicks.follow import ClickOutcome
from workflows.client import workflow_id

router = APIRouter(
    prefix="/v1/clicks",
    tags=["clicks"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("codes:write"))],
)


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": ClickOut, "description": "The visitor's open invitation of this code"},
        **problem_responses(
            "unknown_code",
            "campaign_not_begun",
            "campaign_paused",
            "campaign_ended",
            "switched_off",
            *BODY_PROBLEMS,
        ),
    },
)
async def record_click(  # noqa: PLR0917 - FastAPI passes each by its name
    body: ClickIn,
    answer: Response,
    clicks: Clicks,
    settings: Config,
    hasher: Hashes,
    tokens: ReferralTokens,
    now: Now,
) -> ClickOut:
    """Record that a visitor followed a code, and return the invitation with its token.

    201 with a new invitation, 200 with the visitor's open one of this code: repeating the call is
    safe. Send the token in the signup event; it expires with the campaign's signup window. 404
    `unknown_code`; 409 `campaign_not_begun`, `switched_off`; 410 `campaign_paused` or
    `campaign_ended`. With `consent` false nothing of the device and its network is kept.
    """
    personal = body.personal()
    click = pseudonymised_click(
        hasher,
        code=parse_code(body.code, public_url=settings.public_url) or body.code,
        visitor_id=body.visitor_id,
        platform=body.platform,
        at=now,
        device_traits=body.device_traits(),
        ip=personal.get("ip"),
        user_agent=personal.get("user_agent"),
        device_id=personal.get("device_id"),
    )
    invitation = await follow(clicks, click)
    if invitation.referral_id is None:
        raise Problem(invitation.outcome.value)
    answer.status_code = 201 if invitation.outcome is ClickOutcome.NEW else 200
    return ClickOut(
        referral_id=invitation.referral_id,
        referral_token=issue_token(tokens, invitation),
        workflow_id=workflow_id(invitation.referral_id),
    )
