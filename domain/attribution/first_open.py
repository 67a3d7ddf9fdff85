"""Referral hints: what an app has at its first open that may name an invitation."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from domain.attribution.install_referrer import Install, extract_token
from domain.attribution.policy import Method, Refusal
from domain.codes import AROUND_A_LINK, is_code, normalise_code

MAX_TOKEN_CHARS: Final = 256
"""Length of the longest text that is read as a token."""
TOKEN_SHAPE: Final = re.compile(r"[\w-]{24,}\.[\w.-]+", re.ASCII)
"""Shape of a token in a clipboard; any other content is personal and not stored."""
LINK_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralHint:
    """One item that may name an invitation: a token, or a link that has only a code.

    With a `refusal` it is neither. `install` is Play's report that came with the token.
    """

    method: Method
    token: str | None = None
    code: str | None = None
    install: Install | None = None
    refusal: Refusal | None = None


def collect_hints(
    *,
    public_url: str,
    universal_link: str | None = None,
    install: Install | None = None,
    clipboard: str | None = None,
    cookie: str | None = None,
) -> tuple[ReferralHint, ...]:
    """Return an app's hints, the most reliable first.

    The link that opened the app comes before what its install kept.
    """
    hints = (
        universal_link and _hint_in_link(universal_link, public_url),
        install and _hint_in_referrer(install),
        clipboard and _hint_in_clipboard(clipboard, public_url),
        cookie and ReferralHint(method=Method.COOKIE, token=cookie),
    )
    return tuple(hint for hint in hints if isinstance(hint, ReferralHint))


def _hint_in_link(link: str, public_url: str) -> ReferralHint:
    """Read a link of this service, with a token or at least a code; refuse any other."""
    opened = _split_own_link(link, public_url)
    if opened is not None:
        if token := extract_token(link):
            return ReferralHint(method=Method.UNIVERSAL_LINK, token=token)
        if code := _code_in_path(opened.path, public_url):
            return ReferralHint(method=Method.UNIVERSAL_LINK, code=code)
    return ReferralHint(method=Method.UNIVERSAL_LINK, refusal=Refusal.NOT_ACCEPTED)


def _hint_in_referrer(install: Install) -> ReferralHint | None:
    token = extract_token(install.install_referrer)
    if token is None:
        return None
    return ReferralHint(method=Method.INSTALL_REFERRER, token=token, install=install)


def _hint_in_clipboard(text: str, public_url: str) -> ReferralHint | None:
    """Read a token, or the one invitation link in a copied text."""
    words = [word.strip(AROUND_A_LINK) for word in text.split()]
    if len(words) == 1 and _is_token(words[0]):
        return ReferralHint(method=Method.CLIPBOARD, token=words[0])
    hints = {hint for word in words if (hint := _hint_in_word(word, public_url))}
    return hints.pop() if len(hints) == 1 else None


def _hint_in_word(word: str, public_url: str) -> ReferralHint | None:
    token = extract_token(word) if LINK_SCHEME.match(word) else None
    if token is not None and _is_token(token):
        return ReferralHint(method=Method.CLIPBOARD, token=token)
    opened = _split_own_link(word, public_url)
    code = _code_in_path(opened.path, public_url) if opened else None
    return ReferralHint(method=Method.CLIPBOARD, code=code) if code else None


def _is_token(text: str) -> bool:
    return len(text) <= MAX_TOKEN_CHARS and TOKEN_SHAPE.fullmatch(text) is not None


def _split_own_link(link: str, public_url: str) -> SplitResult | None:
    opened = _split(link) if LINK_SCHEME.match(link.strip()) else None
    return opened if opened and opened.hostname == urlsplit(public_url).hostname else None


def _code_in_path(path: str, public_url: str) -> str | None:
    before = f"{urlsplit(public_url).path.rstrip('/')}/r/"
    code = normalise_code(unquote(path.removeprefix(before).rstrip("/")))
    return code if path.startswith(before) and is_code(code) else None


def _split(link: str) -> SplitResult | None:
    try:
        opened = urlsplit(link.strip())
    except ValueError:
        return None
    return opened if opened.hostname else None
