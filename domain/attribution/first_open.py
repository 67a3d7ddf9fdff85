"""What an app finds at its first open that may say who brought its person."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from domain.attribution.install_referrer import Install, extract_token
from domain.attribution.policy import Method, Refusal
from domain.codes import AROUND_A_LINK, is_code, normalised

MAX_TOKEN_CHARS: Final = 256
TOKEN_SHAPE: Final = re.compile(r"[\w-]{24,}\.[\w.-]+", re.ASCII)
"""Whatever else is in a clipboard is not ours, and not stored."""
LINK_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """One way in which the app was brought: by a token, or by a link that has only a code.

    With a `refusal` it is neither. `install` is what Play told beside the token.
    """

    method: Method
    token: str | None = None
    code: str | None = None
    install: Install | None = None
    refusal: Refusal | None = None


def finds(
    *,
    public_url: str,
    universal_link: str | None = None,
    install: Install | None = None,
    clipboard: str | None = None,
    cookie: str | None = None,
) -> tuple[Find, ...]:
    """What was found, the surest first; a link opened now, then what an install carried along."""
    found = (
        universal_link and _hint_in_link(universal_link, public_url),
        install and _hint_in_referrer(install),
        clipboard and _hint_in_clipboard(clipboard, public_url),
        cookie and Find(method=Method.COOKIE, token=cookie),
    )
    return tuple(find for find in found if isinstance(find, Find))


def _hint_in_link(link: str, public_url: str) -> Find:
    """A link of this service, with a token or at least a code; others are refused."""
    opened = _ours(link, public_url)
    if opened is not None:
        if token := extract_token(link):
            return Find(method=Method.UNIVERSAL_LINK, token=token)
        if code := _code(opened.path, public_url):
            return Find(method=Method.UNIVERSAL_LINK, code=code)
    return Find(method=Method.UNIVERSAL_LINK, refusal=Refusal.NOT_ACCEPTED)


def _hint_in_referrer(install: Install) -> Find | None:
    token = extract_token(install.install_referrer)
    if token is None:
        return None
    return Find(method=Method.INSTALL_REFERRER, token=token, install=install)


def _hint_in_clipboard(text: str, public_url: str) -> Find | None:
    """A token, or the one link in what was copied: ours as a friend sent it, or with a token."""
    words = [word.strip(AROUND_A_LINK) for word in text.split()]
    if len(words) == 1 and _is_token(words[0]):
        return Find(method=Method.CLIPBOARD, token=words[0])
    copied = {find for word in words if (find := _copied(word, public_url))}
    return copied.pop() if len(copied) == 1 else None


def _copied(word: str, public_url: str) -> Find | None:
    token = extract_token(word) if LINK_SCHEME.match(word) else None
    if token is not None and _is_token(token):
        return Find(method=Method.CLIPBOARD, token=token)
    opened = _ours(word, public_url)
    code = _code(opened.path, public_url) if opened else None
    return Find(method=Method.CLIPBOARD, code=code) if code else None


def _is_token(text: str) -> bool:
    return len(text) <= MAX_TOKEN_CHARS and TOKEN_SHAPE.fullmatch(text) is not None


def _ours(link: str, public_url: str) -> SplitResult | None:
    opened = _split(link) if LINK_SCHEME.match(link.strip()) else None
    return opened if opened and opened.hostname == urlsplit(public_url).hostname else None


def _code(path: str, public_url: str) -> str | None:
    before = f"{urlsplit(public_url).path.rstrip('/')}/r/"
    code = normalised(unquote(path.removeprefix(before).rstrip("/")))
    return code if path.startswith(before) and is_code(code) else None


def _split(link: str) -> SplitResult | None:
    try:
        opened = urlsplit(link.strip())
    except ValueError:
        return None
    return opened if opened.hostname else None
