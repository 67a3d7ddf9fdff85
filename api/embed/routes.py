"""The player's own page under /embed, and the tokens that open it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import HTMLResponse

from api.embed.pages import player_page, refusal_page
from api.embed.tokens import LIFETIME, EmbedTokens, TokenState
from api.http.authorisation import requires
from api.http.dependencies import Config, Db, Now
from api.http.strict_json import StrictRoute
from api.link.landing.pages import HtmlOutageRoute
from api.link.languages import negotiate_language
from api.v1.players import PlayerId
from api.v1.schemas.players import EmbedTokenOut
from referrals.reporting import player_pages
from runtime.settings import Settings

router = APIRouter(prefix="/v1/players", tags=["players"], route_class=StrictRoute)
pages = APIRouter(include_in_schema=False, route_class=HtmlOutageRoute)


@router.post(
    "/{player_id}/embed-token",
    status_code=201,
    dependencies=[Depends(requires("players:read", "referrals:read"))],
)
async def issue_embed_token(player_id: PlayerId, settings: Config, now: Now) -> EmbedTokenOut:
    """Issue a token for the player's own page, and the page's address with it.

    The page opens for an hour. It shows codes, friends by neutral stage and rewards, and nothing
    about a friend. A player that the service does not know has an empty page.
    """
    expires_at = now + LIFETIME
    token = _tokens(settings).issue(player_id, expires_at=expires_at)
    url = f"{settings.public_url}/embed/{player_id}?token={token}"
    return EmbedTokenOut(token=token, url=url, expires_at=expires_at)


@pages.get("/embed/{player_id}")
@pages.head("/embed/{player_id}")
async def show_player_page(
    request: Request,
    player_id: Annotated[str, Path(max_length=64)],
    database: Db,
    settings: Config,
    now: Now,
    *,
    token: Annotated[str, Query(max_length=512)] = "",
    lang: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """Show a player's page in their language; 403 for another's token, 401 for an invalid one."""
    accepted = request.headers.get("accept-language", "")
    state = _tokens(settings).read(token, player_id, at=now)
    if state is not TokenState.VALID:
        return refusal_page(state, negotiate_language(accepted, preferred=lang), settings)
    async with database.reading() as session:
        page = await player_pages.load_page(
            session, player_id, at=now, tax_year_start=settings.tax_year
        )
    language = negotiate_language(accepted, preferred=lang or page.locale)
    return player_page(page, language, settings)


def _tokens(settings: Settings) -> EmbedTokens:
    return EmbedTokens(*settings.token_keys)
