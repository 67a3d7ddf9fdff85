"""Referral hints: what an app has at its first open that may name an invitation."""

import re
from dataclasses import dataclass
from typing import Final

from domain.attribution.install_referrer import Install, extract_token
from domain.attribution.policy import Method, Refusal
from domain.codes import LINK_SCHEME, WORD_ENDS, code_in_link, split_own_link, strip_punctuation

MAX_TOKEN_CHARS: Final = 256
"""Length of the longest text that is read as a token."""
TOKEN_SHAPE: Final = re.compile(r"[\w-]{24,}\.[\w.-]+", re.ASCII)
"""Shape of a token in a clipboard; any other content is personal and not stored."""


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
    if LINK_SCHEME.match(link.strip()) and split_own_link(link, public_url=public_url):
        if token := extract_token(link):
            return ReferralHint(method=Method.UNIVERSAL_LINK, token=token)
        if code := code_in_link(link, public_url=public_url):
            return ReferralHint(method=Method.UNIVERSAL_LINK, code=code)
    return ReferralHint(method=Method.UNIVERSAL_LINK, refusal=Refusal.NOT_ACCEPTED)


def _hint_in_referrer(install: Install) -> ReferralHint | None:
    token = extract_token(install.install_referrer)
    if token is None:
        return None
    return ReferralHint(method=Method.INSTALL_REFERRER, token=token, install=install)


def _hint_in_clipboard(text: str, public_url: str) -> ReferralHint | None:
    """Read a token, or the one invitation link in a copied text."""
    words = [bare for word in WORD_ENDS.split(text) if (bare := strip_punctuation(word))]
    if len(words) == 1 and _is_token(words[0]):
        return ReferralHint(method=Method.CLIPBOARD, token=words[0])
    hints = {hint for word in words if (hint := _hint_in_word(word, public_url))}
    return hints.pop() if len(hints) == 1 else None


def _hint_in_word(word: str, public_url: str) -> ReferralHint | None:
    token = extract_token(word) if LINK_SCHEME.match(word) else None
    if token is not None and _is_token(token):
        return ReferralHint(method=Method.CLIPBOARD, token=token)
    code = code_in_link(word, public_url=public_url) if LINK_SCHEME.match(word) else None
    return ReferralHint(method=Method.CLIPBOARD, code=code) if code else None


def _is_token(text: str) -> bool:
    return len(text) <= MAX_TOKEN_CHARS and TOKEN_SHAPE.fullmatch(text) is not None
