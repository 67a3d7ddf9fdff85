"""Signals that services send to a workflow themselves: whether they count, and their signature."""

import hmac
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from domain.intake.free_texts import FREE_TEXTS, cut_to_storable
from domain.intake.times import RFC_3339, has_leap_second, read_time

SIGNATURE_FIELD: Final = "signature"


class DirectSignals(StrEnum):
    """Signals whose facts count although no other door has recorded them."""

    OPEN = "open"
    SIGNED = "signed"
    OFF = "off"


class LooseObject(dict[str, Any]):
    """An object whose text the other doors refuse, such as for a key that it has twice."""


def is_strictly_written(event: dict[str, Any]) -> bool:
    """Return whether an event that can be read is written as the other doors take it.

    A signal is read leniently, since a workflow must read it for ever as it did at first: `true`,
    "1000" and 1000.0 as amounts, a number as a time, also one in a text. What its texts may be is
    judged by the act, which reads the event as the other doors do.
    """
    moment, amount = event.get("occurred_at"), event.get("amount")
    if isinstance(event, LooseObject) or not isinstance(moment, str):
        return False
    if not RFC_3339.fullmatch(moment):
        return False
    return not isinstance(amount, dict) or type(amount.get("minor")) is int


def with_free_texts_cut(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose free texts can be stored, and whose time is no leap second.

    The other doors take these so, and facts are not made of what is longer or does not exist.
    """
    mended = event | {
        name: cut_to_storable(event[name])
        for name in FREE_TEXTS & event.keys()
        if isinstance(event[name], str)
    }
    moment = event.get("occurred_at")
    if isinstance(moment, str) and RFC_3339.fullmatch(moment) and has_leap_second(moment):
        mended["occurred_at"] = read_time(moment).isoformat()
    return mended


def canonical_json(event: dict[str, Any]) -> str:
    """Return what is signed: the JSON without its signature, keys sorted, no spaces, UTF-8."""
    signed = {name: value for name, value in event.items() if name != SIGNATURE_FIELD}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(canonical: str, key: str) -> str:
    """Return the HMAC-SHA256 in hexadecimal digits."""
    return hmac.digest(key.encode(), canonical.encode(), "sha256").hex()


def is_signed(canonical: str, signature: str, keys: Iterable[str]) -> bool:
    """Return whether one of the keys made the signature, also over JSON with escapes."""
    escaped = json.dumps(json.loads(canonical), sort_keys=True, separators=(",", ":"))
    given = signature.strip().lower().encode()
    return any(
        hmac.compare_digest(given, sign(text, key).encode())
        for key in keys
        for text in (canonical, escaped)
    )
