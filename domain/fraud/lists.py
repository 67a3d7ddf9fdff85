"""Lists of values that fraud rules look at: allow, deny and watch; and their hits."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class ListName(StrEnum):
    """A list, and what a hit on it does.

    Deny blocks or holds, allow silences soft rules, watch asks for a person's look.
    """

    ALLOW = "allow"
    DENY = "deny"
    WATCH = "watch"


class ListedKind(StrEnum):
    """The kind of a listed value."""

    PLAYER = "player"
    DEVICE_ID = "device_id"
    PAYMENT_INSTRUMENT = "payment_instrument"
    EMAIL = "email"
    EMAIL_DOMAIN = "email_domain"
    PHONE = "phone"
    KYC_SUBJECT = "kyc_subject"
    NETWORK = "network"


PERSONAL_KINDS: Final = frozenset(
    {
        ListedKind.DEVICE_ID,
        ListedKind.PAYMENT_INSTRUMENT,
        ListedKind.EMAIL,
        ListedKind.PHONE,
        ListedKind.KYC_SUBJECT,
    }
)
"""Kinds of personal values, which are stored as keyed hashes alone."""


class Role(StrEnum):
    """The role of the player whose value is listed."""

    REFERRER = "referrer"
    REFEREE = "referee"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ListHit:
    """A value of one of a referral's players that is on a list."""

    list_name: ListName
    entry_id: UUID
    kind: ListedKind
    role: Role


@dataclass(frozen=True, slots=True)
class ListHits:
    """The hits of a referral's players, in a fixed order."""

    hits: tuple[ListHit, ...] = ()

    @classmethod
    def of(cls, hits: Iterable[ListHit]) -> "ListHits":
        return cls(tuple(sorted(set(hits))))

    def kinds_on(self, list_name: ListName) -> tuple[str, ...]:
        """Return the kinds of the values that are on a list, each once and in order."""
        return tuple(sorted({hit.kind.value for hit in self.hits if hit.list_name is list_name}))
