"""Addresses that mailers, networks and filters put around a link, and the link in them."""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

REDIRECTORS: Final = (
    "bing.com",
    "deref-gmx.net",
    "deref-mail.com",
    "deref-web.de",
    "facebook.com",
    "instagram.com",
    "linkedin.com",
    "mailgun.org",
    "messenger.com",
    "out.reddit.com",
    "pinterest.com",
    "safelinks.protection.office365.us",
    "safelinks.protection.outlook.com",
    "slack-redir.net",
    "snapchat.com",
    "steamcommunity.com",
    "t.umblr.com",
    "threads.net",
    "tiktok.com",
    "urldefense.com",
    "urldefense.proofpoint.com",
    "vk.com",
    "whatsapp.com",
    "x.com",
    "youtube.com",
)
"""Hosts, with their subdomains, that lead on to a link which their address holds."""
GOOGLE: Final = re.compile(r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}")
PROOFPOINT_LINK: Final = re.compile(r"/v3/__(?P<link>.+?)__;")
PROOFPOINT_MARKS: Final = str.maketrans("-_", "%/")
"""Marks that Proofpoint's second version writes for those of a link."""
MAX_WRAPPINGS: Final = 3
"""Redirectors around redirectors that are taken off, as when a mail quotes a post."""


def unwrap_link(link: str) -> str:
    """Return the link to which redirectors lead; a link to any other site is returned as it is."""
    for _ in range(MAX_WRAPPINGS):
        inner = _wrapped(link)
        if inner is None:
            break
        link = inner
    return link


def _wrapped(link: str) -> str | None:
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if not _is_redirector(host):
        return None
    if found := PROOFPOINT_LINK.match(parts.path):
        return found["link"]
    values = [value for _, value in parse_qsl(parts.query)]
    if host == "urldefense.proofpoint.com":
        values = [unquote(value.translate(PROOFPOINT_MARKS)) for value in values]
    return next((value for value in values if value.startswith(("http://", "https://"))), None)


def _is_redirector(host: str) -> bool:
    if GOOGLE.fullmatch(host):
        return True
    return any(host == known or host.endswith(f".{known}") for known in REDIRECTORS)
