"""Hashes by which players are linked, made of an event's personal values.

They stand beside the body's: the body's fingerprint names the event, so that its hashes stay as
they are, while these follow the way in which people write.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from domain.fraud.names import MAX_WORDS, spellings
from domain.ip_texts import ip_text
from domain.privacy import HASH_SHAPE, Hasher, normalise_field
from referrals.intake.normalising import placeholders
from referrals.intake.normalising.addresses import network_of, read_address
from referrals.intake.normalising.characters import plain, without_accents
from referrals.intake.normalising.mailboxes import mailbox
from referrals.intake.normalising.phones import phone_digits
from referrals.intake.normalising.things import THINGS, thing_id

SHORT_HASH_HEX: Final = 16
"""Digits of the hashes of spellings, which are only compared within a pair."""
MAX_SPELLED_CHARACTERS: Final = 24
MAX_LABELS: Final = 6
"""Labels of a domain, the last ones, that are looked at."""
EARLIER: Final = "earlier"
"""Name under which the hashes of earlier keys are kept, with the newest hash of each."""
DOMAINS_ABOVE: Final = "email_domains_above"
"""Name under which the hashes of the domains above a mailbox's are kept: a listed domain is hit by
those below it, of which its owner has as many as he likes."""
_COMPARED: Final = ("ip", "jurisdiction", "method", *placeholders.FIELDS)
"""Fields that players are linked by, or that tell how to read those."""
UNSAID: Final = "unsaid"
"""Name under which the fields are kept whose value is a placeholder, and links nobody."""


def matching_of(body: Mapping[str, Any], hasher: Hasher) -> dict[str, Any]:
    """Return the hashes to link an event's player by; none for values that came hashed.

    While earlier keys are enabled, EARLIER tells which hash of each value was stored under them.
    """
    found = _matching(body, hasher)
    if not hasher.earlier:
        return found
    for earlier in hasher.earlier:
        then = _matching(body, earlier)
        for field, name in _SPELLED.items():
            if field in found:
                found[field] = name(found[field], then[field])
    if renamed := _renamed(body, found, hasher):
        found[EARLIER] = renamed
    return found


def _renamed(
    body: Mapping[str, Any], found: Mapping[str, Any], hasher: Hasher
) -> dict[str, dict[str, str]]:
    """Return, by field, the newest hash of each hash that an earlier key gives."""
    renamed: defaultdict[str, dict[str, str]] = defaultdict(dict)
    now = hasher.hash_personal(body)
    for earlier in hasher.earlier:
        then = earlier.hash_personal(body)
        matched = _matching(body, earlier)
        pairs = [(field, then[field], hashed) for field, hashed in now.items()]
        pairs += [(field, matched[field], hashed) for field, hashed in found.items()]
        domains = zip(matched.get(DOMAINS_ABOVE, ()), found.get(DOMAINS_ABOVE, ()), strict=True)
        pairs += [("email_domain", old, new) for old, new in domains]
        if isinstance(code := now.get("code"), str):
            # One that nobody has is stored as a hash.
            pairs.append(("code", earlier.hash("code", code), hasher.hash("code", code)))
        for field, old, new in pairs:
            if isinstance(old, str) and isinstance(new, str) and old != new:
                renamed[field][old] = new
    return dict(renamed)


def _matching(body: Mapping[str, Any], hasher: Hasher) -> dict[str, Any]:
    given = {
        field: text
        for field in _COMPARED
        if (text := body.get(field))
        and isinstance(text, str)
        and text.strip()
        and not HASH_SHAPE.fullmatch(text)
    }
    found: dict[str, Any] = {}
    if unsaid := [*placeholders.unsaid_fields(given, method=given.get("method"))]:
        found[UNSAID] = unsaid
        given = {field: text for field, text in given.items() if field not in unsaid}
    if "ip" in given:
        found |= hasher.once(_address, given["ip"])
    if "email" in given:
        found |= hasher.once(_mailbox, given["email"])
    if "phone" in given:
        digits = phone_digits(given["phone"], jurisdiction=given.get("jurisdiction"))
        found["phone"] = hasher.hash("phone", digits)
    if "full_name" in given:
        found |= hasher.once(_name, given["full_name"])
    return found | _things(given, hasher)


def _things(given: Mapping[str, str], hasher: Hasher) -> dict[str, str]:
    """Return the ids that are written otherwise than one spelling of them."""
    return {
        field: hasher.hash(field, one)
        for field in THINGS
        if field in given
        and (one := thing_id(given[field])) != normalise_field(field, given[field])
    }


def _words_of_both(now: Sequence[list[str]], then: Sequence[list[str]]) -> list[list[str]]:
    return [[*one, *other] for one, other in zip(now, then, strict=True)]


def _of_both(now: list[str], then: list[str]) -> list[str]:
    return [*now, *then]


_SPELLED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "email_spellings": _of_both,
    "name_words": _words_of_both,
}
"""Sets of hashes that are compared within a pair, of which one player may have older ones."""


def matching_text(field: str, text: str, *, jurisdiction: str | None = None) -> str:
    """Return the spelling by which a value is compared, before it is hashed."""
    if HASH_SHAPE.fullmatch(text):
        return text
    if field == "phone":
        return phone_digits(text, jurisdiction=jurisdiction)
    if field in THINGS:
        return thing_id(text)
    if field == "email":
        return "@".join(filter(None, mailbox(text)))
    if field == "ip":
        address = read_address(text)
        return text if address is None else ip_text(address)
    return text


def _address(hasher: Hasher, text: str) -> dict[str, str]:
    address = read_address(text)
    if address is None:
        return {}
    return {
        "ip": hasher.hash_normalised("ip", ip_text(address)),
        "network": hasher.hash_normalised("network", network_of(address)),
    }


def _mailbox(hasher: Hasher, text: str) -> dict[str, Any]:
    name, domain = mailbox(text)
    if not domain:
        return {"email": hasher.hash("email", name)}
    near = [f"{one}@{domain}" for one in spellings(name[:MAX_SPELLED_CHARACTERS])]
    found: dict[str, Any] = {
        "email": hasher.hash("email", f"{name}@{domain}"),
        "email_domain": hasher.hash("email_domain", domain),
        "email_spellings": [_short("email_spelling", one, hasher) for one in near],
    }
    if above := [hasher.hash("email_domain", one) for one in _domains_above(domain)]:
        found[DOMAINS_ABOVE] = above
    return found


def _domains_above(domain: str) -> list[str]:
    labels = domain.split(".")[-MAX_LABELS:]
    return [".".join(labels[start:]) for start in range(1, len(labels) - 1)]


def _name(hasher: Hasher, text: str) -> dict[str, Any]:
    letters = without_accents(plain(text))
    words = "".join(mark if mark.isalnum() else " " for mark in letters).split()
    if not words:
        return {}
    return {
        "full_name": hasher.hash("full_name", " ".join(sorted(words))),
        "name_words": [
            [_short("name_word", one, hasher) for one in spellings(word[:MAX_SPELLED_CHARACTERS])]
            for word in words[:MAX_WORDS]
        ],
    }


def _short(field: str, text: str, hasher: Hasher) -> str:
    return hasher.hash(field, text).partition(":")[2][:SHORT_HASH_HEX]
