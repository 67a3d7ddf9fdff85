"""What an app finds at its first open that may say who brought its person."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from domain.attribution import Method, Refusal
from domain.codes import is_code, normalised
from domain.installs import Install, token_in

LONGEST_TOKEN: Final = 256
A_WORD: Final = re.compile(r"[^\s/]+")
"""Whatever else is in a clipboard is not ours: neither looked at nor stored."""
A_LINK: Final = re.compile(r"https?://", re.IGNORECASE)


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
        universal_link and _in_link(universal_link, public_url),
        install and _in_referrer(install),
        clipboard and _in_clipboard(clipboard),
        cookie and Find(method=Method.COOKIE, token=cookie),
    )
    return tuple(find for find in found if isinstance(find, Find))


def _in_link(link: str, public_url: str) -> Find:
    """A link of this service, with a token or at least a code; others are refused."""
    refused = Find(method=Method.UNIVERSAL_LINK, refusal=Refusal.NOT_ACCEPTED)
    opened, ours = _split(link), urlsplit(public_url)
    if opened is None or opened.hostname != ours.hostname or not A_LINK.match(link.strip()):
        return refused
    if token := token_in(link):
        return Find(method=Method.UNIVERSAL_LINK, token=token)
    code = _code(opened.path, f"{ours.path.rstrip('/')}/r/")
    return Find(method=Method.UNIVERSAL_LINK, code=code) if code else refused


def _in_referrer(install: Install) -> Find | None:
    token = token_in(install.install_referrer)
    if token is None:
        return None
    return Find(method=Method.INSTALL_REFERRER, token=token, install=install)


def _in_clipboard(text: str) -> Find | None:
    token = token_in(text) if A_LINK.match(text.strip()) else text.strip()
    if token is None or len(token) > LONGEST_TOKEN or not A_WORD.fullmatch(token):
        return None
    return Find(method=Method.CLIPBOARD, token=token)


def _code(path: str, before: str) -> str | None:
    code = normalised(unquote(path.removeprefix(before).rstrip("/")))
    return code if path.startswith(before) and is_code(code) else None


def _split(link: str) -> SplitResult | None:
    try:
        opened = urlsplit(link.strip())
    except ValueError:
        return None
    return opened if opened.hostname else None
