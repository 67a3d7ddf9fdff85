"""The player's page, rendered in one language; nothing is loaded beside it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.embed.tokens import TokenState
from api.link.landing.content import qr_code
from api.link.landing.destinations import referral_link
from api.link.landing.pages import PRIVATE_HEADERS, SCRIPT, STYLE, csp_hash
from api.link.languages import LANGUAGES
from api.link.offer_texts import referrer_headline
from api.link.page_context import QR_QUERY
from api.v1.players import invited_out
from api.v1.schemas.players import PlayerFacingReason
from domain.money import Amount, Money
from referrals.campaigns.limits import Allowance
from referrals.campaigns.offers import Offer
from referrals.localisation.formats import format_day, format_money
from referrals.localisation.languages import Language
from referrals.notifications.preferences import zone_of
from referrals.reporting.player_pages import PlayerPage
from runtime.settings import Settings

REFUSED: Final = {
    TokenState.FOREIGN: HTTPStatus.FORBIDDEN,
    TokenState.EXPIRED: HTTPStatus.UNAUTHORIZED,
    TokenState.FORGED: HTTPStatus.UNAUTHORIZED,
}
"""Status of the page for a token that does not open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCode:
    code: str
    link: str
    headline: str | None
    """Promise of the offer; None where the campaign conceals it from some places."""
    qr_code: Markup
    left: tuple["Left", ...]
    ways: tuple[tuple[str, str], ...]
    """Names and addresses of ways to share the link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Rest of a limit for the player: a number of rewards or an amount, until its period ends."""

    is_amount: bool
    value: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """An invitation as its referrer may see it."""

    invited_on: str
    reason: PlayerFacingReason
    until: str | None


def player_page(page: PlayerPage, language: Language, settings: Settings) -> HTMLResponse:
    def day(at: datetime) -> str:
        return format_day(at, zone_of(page.time_zone), language)

    return _page(
        "embed.html",
        language,
        HTTPStatus.OK,
        settings,
        is_excluded=page.is_excluded,
        codes=[
            _shared(offer, _left(page.allowances[offer.code], language, day), language, settings)
            for offer in page.offers
        ],
        friends=[
            Friend(
                invited_on=day(out.invited_at),
                reason=out.reason_code,
                until=day(out.until) if out.until else None,
            )
            for out in map(invited_out, page.invited)
        ],
        earned=_amounts(page.earned, page.earned_bonus, language),
        expected=_amounts(page.expected, page.expected_bonus, language),
    )


def refusal_page(state: TokenState, language: Language, settings: Settings) -> HTMLResponse:
    """Return 403 for another player's token, 401 for one that is forged or expired."""
    return _page("refusal.html", language, REFUSED[state], settings)


def _left(
    allowances: Iterable[Allowance], language: Language, day: Callable[[datetime], str]
) -> tuple[Left, ...]:
    found = []
    for one in allowances:
        until = day(one.until) if one.until else None
        if one.limit.rewards is not None:
            number = max(0, one.limit.rewards - one.used.rewards)
            found.append(Left(is_amount=False, value=str(number), until=until))
        if one.limit.amount is not None:
            minor = max(0, one.limit.amount.minor - one.used.minor)
            shown = format_money(Money(minor, one.limit.amount.currency), language)
            found.append(Left(is_amount=True, value=shown, until=until))
    return tuple(found)


def _shared(
    offer: Offer, left: tuple[Left, ...], language: Language, settings: Settings
) -> SharedCode:
    link = referral_link(settings, offer.code)
    is_concealed = bool(offer.link.no_inducement_in)
    text = language.gettext("Join me with this link: %(link)s") % {"link": link}
    return SharedCode(
        code=offer.code,
        link=link,
        headline=None if is_concealed else referrer_headline(offer.terms, language),
        left=left,
        qr_code=qr_code(f"{link}?{urlencode(QR_QUERY)}"),
        ways=(
            ("WhatsApp", f"https://wa.me/?{urlencode({'text': text}, quote_via=quote)}"),
            ("Telegram", f"https://t.me/share/url?{urlencode({'url': link}, quote_via=quote)}"),
            ("SMS", f"sms:?{urlencode({'body': text}, quote_via=quote)}"),
            (language.gettext("Mail"), f"mailto:?{urlencode({'body': text}, quote_via=quote)}"),
        ),
    )


def _amounts(cash: Iterable[Amount], bonuses: Iterable[Amount], language: Language) -> str:
    """Return the sums of each currency, those of bonus bets apart."""
    in_bonus_bets = language.gettext("%(amount)s in bonus bets")
    shown = [format_money(money, language) for money in cash]
    shown += [in_bonus_bets % {"amount": format_money(money, language)} for money in bonuses]
    return " + ".join(shown)


def _page(
    name: str,
    language: Language,
    status: HTTPStatus,
    settings: Settings,
    **variables: Any,  # noqa: ANN401 - what a template shows
) -> HTMLResponse:
    text = TEMPLATES[language.tag, name].render(language=language, **variables)
    return HTMLResponse(text, status, _headers(language, settings))


def _headers(language: Language, settings: Settings) -> dict[str, str]:
    framed_by = " ".join(settings.embedding_origins) or "'none'"
    policy = (
        "default-src 'none'",
        f"style-src {csp_hash(EMBED_STYLE)}",
        f"script-src {csp_hash(SCRIPT)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {framed_by}",
    )
    return {
        **PRIVATE_HEADERS,
        "Content-Language": language.tag,
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
    }


def _load_templates(language: Language) -> dict[tuple[str, str], Template]:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("api.embed"), PackageLoader("api.link.landing")]),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(style=EMBED_STYLE, script=SCRIPT)
    environment.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
        language.gettext, language.ngettext, newstyle=True
    )
    names = ("embed.html", "refusal.html")
    return {(language.tag, name): environment.get_template(name) for name in names}


OWN_STYLE: Final = (Path(__file__).parent / "templates" / "embed.css").read_text()
EMBED_STYLE: Final = Markup(STYLE + OWN_STYLE)  # noqa: S704 - files of ours
TEMPLATES: Final = {
    key: template
    for language in LANGUAGES.values()
    for key, template in _load_templates(language).items()
}
