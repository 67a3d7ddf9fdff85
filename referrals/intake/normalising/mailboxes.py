"""Mail addresses: one spelling of each mailbox, whatever its provider lets its owner write."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from domain.codes import strip_punctuation
from referrals.intake.normalising.characters import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's aliases for one mailbox."""

    domain: str
    aliases: frozenset[str] = frozenset()
    ignored: str = ""
    """Characters that its mailboxes are not told apart by."""
    tag: str = "+"
    """Characters that begin a tag."""


PROVIDERS: Final = (
    Provider(domain="gmail.com", aliases=frozenset({"googlemail.com"}), ignored="."),
    Provider(domain="icloud.com", aliases=frozenset({"me.com", "mac.com"})),
    Provider(
        domain="proton.me",
        aliases=frozenset({"protonmail.com", "protonmail.ch", "pm.me"}),
        ignored="._-",
    ),
    Provider(
        domain="yandex.ru",
        aliases=frozenset(
            {"ya.ru", "narod.ru"}
            | {f"yandex.{end}" for end in ("az", "by", "com", "ee", "eu", "fr", "kg", "kz", "lt")}
            | {f"yandex.{end}" for end in ("lv", "md", "tj", "tm", "ua", "uz")}
            | {f"yandex.{end}" for end in ("co.il", "com.am", "com.ge", "com.tr")}
        ),
        ignored=".-",
    ),
    *(
        Provider(domain=domain, tag="+-")
        for domain in ("yahoo.com", "myyahoo.com", "rocketmail.com", "y7mail.com", "ymail.com")
    ),
    Provider(domain="fastmail.com", aliases=frozenset({"fastmail.fm"})),
)
BEFORE_ADDRESS: Final = re.compile(
    r"\A(?:mailto:(?://)?|(?:smtp|acct|sips?|xmpp|(?:e-?)?mail):\s*)"
)
"""Scheme of an address, of the web's links or of Exchange's lists, or a label before it."""
BETWEEN_ADDRESSES: Final = re.compile(r"[,;\s]+")
NATIONAL_YAHOO: Final = re.compile(r"yahoo(?:\.com?)?\.[a-z]{2}")
"""Yahoo's national domains, each with mailboxes of its own, such as yahoo.co.uk."""
FASTMAIL_NAMED: Final = re.compile(
    r"(?P<name>[^.]+)\.(?P<domain>fastmail\.[a-z]{2,3}|fastmail\.(?:co\.uk|com\.au)|sent\.com)"
)
"""A subdomain of Fastmail's that names a mailbox: everything at it is delivered there."""
COMMENT: Final = re.compile(r"\([^()]*\)")
"""Comment beside an address (RFC 5322), which is not part of it."""
_BY_DOMAIN: Final = {
    domain: provider for provider in PROVIDERS for domain in (provider.domain, *provider.aliases)
}


def mailbox(text: str) -> tuple[str, str]:
    """Return name and domain of a mailbox; an address without a domain has an empty one."""
    written = plain(text)
    without_comment = COMMENT.sub("", written).strip()
    in_brackets = written.rpartition("(")[2]
    address = next((one for one in (without_comment, in_brackets) if "@" in one), written)
    if address.rstrip(" ,;.").endswith(">"):
        address = address.rpartition("<")[2]
    elif address.count("@") > 1:
        address = next(one for one in BETWEEN_ADDRESSES.split(address) if "@" in one)
    if BEFORE_ADDRESS.match(address):
        address = unquote(BEFORE_ADDRESS.sub("", address))
    if "%40" in address:
        address = unquote(address)
    name, _, host = strip_punctuation(address).rpartition("@")
    if not name:
        return host, ""
    name, domain = name.rstrip("@").strip(' "'), ascii_domain(host.partition("?")[0])
    if named := FASTMAIL_NAMED.fullmatch(domain):
        name, domain = named["name"], named["domain"]
    provider = _BY_DOMAIN.get(domain) or _provider_of(domain)
    for mark in provider.tag:
        name = name.partition(mark)[0] or name
    name = "".join(mark for mark in name if mark not in provider.ignored)
    return name, provider.domain


def _provider_of(domain: str) -> Provider:
    return Provider(domain=domain, tag="+-" if NATIONAL_YAHOO.fullmatch(domain) else "+")


def ascii_domain(host: str) -> str:
    """Return a domain as DNS writes it, so that an international one has one spelling."""
    domain = host.strip().rstrip(".")
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return domain
