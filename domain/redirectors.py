"""Addresses that mailers, networks and filters put around a link, and the link in them."""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

REDIRECTORS: Final = (
    "bing.com",
    "cudasvc.com",
    "deref-gmx.net",
    "deref-mail.com",
    "deref-web.de",
    "disq.us",
    "duckduckgo.com",
    "exit.sc",
    "facebook.com",
    "href.li",
    "instagram.com",
    "line.me",
    "linkedin.com",
    "mail.ru",
    "mailgun.org",
    "messenger.com",
    "ok.ru",
    "out.reddit.com",
    "pinterest.com",
    "qq.com",
    "quora.com",
    "safelinks.protection.office365.us",
    "safelinks.protection.outlook.com",
    "secure-web.cisco.com",
    "skimresources.com",
    "slack-redir.net",
    "snapchat.com",
    "statics.teams.cdn.office.net",
    "steamcommunity.com",
    "t.me",
    "t.umblr.com",
    "telegram.me",
    "threads.com",
    "threads.net",
    "tiktok.com",
    "translate.google.com",
    "twitter.com",
    "urldefense.com",
    "urldefense.proofpoint.com",
    "viglink.com",
    "vk.com",
    "wa.me",
    "web.archive.org",
    "weibo.cn",
    "weibo.com",
    "whatsapp.com",
    "wl.co",
    "workplace.com",
    "x.com",
    "youtube.com",
    "zalo.me",
    "zhihu.com",
)
"""Hosts, with their subdomains, that lead on to a link which their address holds."""
GOOGLE: Final = re.compile(r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}")
GOOGLE_AMP: Final = re.compile(r"/amp/(?:s/)?(?P<link>.+)")
PROOFPOINT_LINK: Final = re.compile(r"/v3/__(?P<link>.+?)__;")
PROOFPOINT_MARKS: Final = str.maketrans("-_", "%/")
"""Marks that Proofpoint's second version writes for those of a link."""
LINK: Final = re.compile(r"https?://\S+", re.IGNORECASE)
LINK_IN_ADDRESS: Final = re.compile(r"(?<=[/?=])https?(?:%3A|:).*", re.IGNORECASE | re.DOTALL)
"""Link that is a redirector's path or its whole query."""
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
    if GOOGLE.fullmatch(host) and (found := GOOGLE_AMP.match(parts.path)):
        return found["link"]
    values = [value for _, value in parse_qsl(parts.query)]
    if host == "urldefense.proofpoint.com":
        values = [unquote(value.translate(PROOFPOINT_MARKS)) for value in values]
    # A share's text has words around the link.
    links = (found[0] for value in values if (found := LINK.search(value)))
    return next(links, None) or _link_in_address(link)


def _link_in_address(link: str) -> str | None:
    found = LINK_IN_ADDRESS.search(link, len("https://"))
    return unquote(found[0]) if found else None


def _is_redirector(host: str) -> bool:
    if GOOGLE.fullmatch(host):
        return True
    return any(host == known or host.endswith(f".{known}") for known in REDIRECTORS)
