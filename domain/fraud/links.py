"""Identity links: values that players share, and what two players of a referral share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.fraud.rings import NO_RING, Cluster, Ring


class LinkKind(StrEnum):
    """Kinds of values by which players are linked; each is a field of a fact, or made of one."""

    DEVICE_ID = "device_id"
    PAYMENT_INSTRUMENT = "payment_instrument"
    KYC_SUBJECT = "kyc_subject"
    PHONE = "phone"
    EMAIL = "email"
    FULL_NAME = "full_name"
    IP = "ip"
    NETWORK = "network"
    """The /24 or /64 that an address is in."""


HARD_KINDS: Final = frozenset({LinkKind.PAYMENT_INSTRUMENT, LinkKind.KYC_SUBJECT, LinkKind.PHONE})
"""Kinds whose values name one person; a device of an app is another, by its row's `is_strong`."""
STRONG_PLATFORMS: Final = frozenset({"ios", "android", "ipad", "iphone"})
"""Platforms, in small letters, whose device ids outlive a browser's storage."""
MAX_SHARERS: Final = 50
"""Most players that a value may link: the first ones who had it, where it names one person, and
nobody otherwise. Carrier NAT or a shop's tablet is shared by more."""
UNCAPPED_KINDS: Final = frozenset({LinkKind.KYC_SUBJECT})
"""A verified person stays one person, however many accounts share the verification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerLink:
    """One value of one player of a pair, with the time in which the player used it."""

    kind: LinkKind
    value: str
    is_strong: bool
    first_seen_at: datetime
    last_seen_at: datetime
    others: int = 0
    """Players outside the pair with this value, counted up to MAX_SHARERS."""
    is_early: bool = True
    """True for a player among the first MAX_SHARERS whose value was strong, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLinks:
    """Values of one kind that a pair shares.

    A value that too many share links nobody who came after the first MAX_SHARERS players, and those
    only where it names one person: whom it linked before it was flooded, it links for ever.

    A kind that one of the two never reported is unknown: see `referrer_known`, `referee_known`.
    """

    kind: LinkKind
    referrer_known: bool = False
    referee_known: bool = False
    is_shared: bool = False
    is_hard: bool = False
    """True if a shared value names one person, so that the link is proof and not a hint."""
    others: int = 0
    """Most players outside the pair that share one of the referee's values with it, up to 50."""
    hard_others: int = 0
    """The same for values that name one person."""
    shared_by_too_many: bool = False
    """True if more than 50 players share a value of the referee."""
    is_crowd_shared: bool = False
    """True if the pair shares a value that links it no more, because so many share it."""
    gap_s: int | None = None
    """Shortest time between the two players' uses of a shared value; 0 where they overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLinks:
    """Links of the two players of a referral to each other, and to others."""

    kinds: tuple[KindLinks, ...] = ()
    """Every kind once, in the order of LinkKind."""
    similar_name: bool | None = None
    """True if the names differ by at most a letter in each word; None where one is unknown."""
    similar_mailbox: bool | None = None
    """True if the referee's mailbox differs by at most a letter from one of the same domain, of the
    referrer or of a late referee of the referrer; None where there is none to compare."""
    referrer_cluster: Cluster | None = None
    referee_cluster: Cluster | None = None
    """Players joined by hard links; None for a player who shares none."""
    ring: Ring = NO_RING

    def of(self, kind: LinkKind) -> KindLinks:
        return next((one for one in self.kinds if one.kind is kind), KindLinks(kind=kind))

    @property
    def same_cluster(self) -> bool:
        mine, theirs = self.referee_cluster, self.referrer_cluster
        return mine is not None and theirs is not None and mine.cluster_id == theirs.cluster_id


def compare(referrer: Iterable[PlayerLink], referee: Iterable[PlayerLink]) -> tuple[KindLinks, ...]:
    """Return what two players share, kind by kind; the order of their values does not matter."""
    theirs, mine = tuple(referrer), tuple(referee)
    return tuple(
        _compare(
            kind,
            [link for link in theirs if link.kind is kind],
            [link for link in mine if link.kind is kind],
        )
        for kind in LinkKind
    )


def _compare(kind: LinkKind, theirs: list[PlayerLink], mine: list[PlayerLink]) -> KindLinks:
    values = {link.value for link in theirs}
    crowded = {link.value for link in mine if _is_crowded(link, link.value in values)}
    counted = [link for link in mine if link.value not in crowded or _stays(link)]
    meeting = [(one, other) for one in mine for other in theirs if one.value == other.value]
    shared = [pair for pair in meeting if pair[0].value not in crowded or all(map(_stays, pair))]
    return KindLinks(
        kind=kind,
        referrer_known=bool(theirs),
        referee_known=bool(mine),
        is_shared=bool(shared),
        # A browser does not know an app's id: whoever brings it has the phone in hand.
        is_hard=any(one.is_strong or other.is_strong for one, other in shared),
        others=max((link.others for link in counted), default=0),
        hard_others=max((link.others for link in counted if link.is_strong), default=0),
        shared_by_too_many=bool(crowded),
        is_crowd_shared=len(shared) < len(meeting),
        gap_s=min((_gap_s(one, other) for one, other in shared), default=None),
    )


def _is_crowded(link: PlayerLink, is_shared: bool) -> bool:  # noqa: FBT001 - named by its use
    sharers = 1 + is_shared + link.others
    return link.kind not in UNCAPPED_KINDS and sharers > MAX_SHARERS


def _stays(link: PlayerLink) -> bool:
    """Return whether a crowd that came later does not undo the link."""
    return link.is_strong and link.is_early


def _gap_s(one: PlayerLink, other: PlayerLink) -> int:
    gap = max(one.first_seen_at, other.first_seen_at) - min(one.last_seen_at, other.last_seen_at)
    return int(max(gap, timedelta(0)).total_seconds())
