"""Shares of codes, the top of the funnel."""

from fastapi import APIRouter, Depends

from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.strict_json import StrictRoute
from api.v1.schemas.codes import ShareIn, ShareOut
from domain.codes import parse_code
from domain.field_shapes import has_shape
from domain.privacy import OTHER
from referrals.campaigns import codes

router = APIRouter(
    prefix="/v1/shares",
    tags=["codes"],
    route_class=StrictRoute,
    dependencies=[Depends(requires("codes:write"))],
)


@router.post(
    "",
    status_code=202,
    responses=problem_responses("unknown_code", *BODY_PROBLEMS),
)
async def record_share(body: ShareIn, database: Db, settings: Config, now: Now) -> ShareOut:
    """Record that a player shared a code through a channel, such as `whatsapp`.

    Not idempotent: each call is a share. 404 `unknown_code` for a code that nobody has. A channel
    is a word in lower case or a known one; anything else is kept as `other`.
    """
    code = parse_code(body.code, public_url=settings.public_url)
    if code is None:
        raise Problem("unknown_code")
    channel = body.channel if has_shape("channel", body.channel) else OTHER
    async with database.transaction() as session:
        share_id = await codes.record_share(session, code=code, channel=channel, at=now)
    if share_id is None:
        raise Problem("unknown_code")
    return ShareOut(share_id=share_id, code=code, channel=channel)
