"""Evidence snapshot: all that is known of a referral's pair at one moment, gathered before scoring.

Times in it are distances between events, never distances from now: the same facts give the same
snapshot whenever it is taken, and a stored one gives the same assessment for ever.
"""

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Final

SNAPSHOT_VERSION: Final = 2
"""Version 1 is the evidence of release 0.2: counts of shared values and providers' answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A kind of value that the referee reported, and who else reported the same value.

    `kind` names the reported field, or `network` for the address's /24 or /64. A value that more
    players share than the cap is counted for the first of them alone, where it names one person.
    """

    kind: str
    is_shared: bool = False
    """True where the pair shares a value."""
    is_hard: bool = False
    """True where a value that the pair shares names one person, as the device of an app does."""
    others: int = 0
    """Players outside the pair who share a value with the referee."""
    hard_others: int = 0
    """The same for values that name one person."""
    siblings: int = 0
    """Other referees of the referrer, of those invited nearest, who share a value with this one."""
    gap_s: int | None = None
    """Shortest time between the two players' uses of a shared value."""
    is_shared_by_too_many: bool = False
    is_crowd_shared: bool = False
    """True where the pair shares a value that too many share for it to link them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Players joined to the referee by hard links, and the shapes of referrals among them."""

    players: int = 1
    has_referrer: bool = False
    cycle: int = 0
    """Persons in the circle that the referral closes: 1 where the pair is one; 0 for none."""
    chain: int = 0
    """Referrals in a row, this one counted, whose players are all in the cluster."""
    star: int = 0
    """Players of the cluster whom the same referrer brought, this one counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity:
    """Players or signups counted in a window that ends with the referee's signup."""

    of: str
    """`device`, `network`, `code`, `referrer` or `campaign`."""
    window: str
    """`1h`, `24h` or `30d`."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Conduct of the two players with money, as far as it was reported."""

    signup_to_deposit_s: int | None = None
    is_minimum_deposit: bool | None = None
    """True where the qualifying deposit is exactly the least that qualifies."""
    are_stakes_mirrored: bool | None = None
    """True where both players staked the same amounts at about the same times: half of the money of
    the referee's latest 500 stakes. Events and markets of bets are not reported."""
    has_more_stakes: bool = False
    """True where the referee placed more stakes than are compared."""
    deposit_to_withdrawal_s: int | None = None
    """From the qualifying deposit to the referee's first withdrawal after it."""
    credit_to_withdrawal_s: int | None = None
    """From the latest credit for an earlier referral to the referrer's next withdrawal."""
    knows_withdrawals: bool = False
    """True where withdrawals are reported at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOrigin:
    """Knowledge about the referee's address and mailbox; None where it is unknown."""

    is_hosting: bool | None = None
    is_in_jurisdiction: bool | None = None
    """True where the address lies in the country of the account's jurisdiction."""
    is_disposable_mail: bool | None = None
    data_age_days: int | None = None
    """Age of the network data that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferrerHistory:
    """Record of the referrer before this referral, over the latest referees (a bounded number)."""

    account_age_s: int | None = None
    """From the referrer's signup to the referee's."""
    has_deposited: bool | None = None
    referees: int = 0
    flagged_referees: int = 0
    """Referees whose latest assessment was a review or a block."""
    charged_back: int = 0
    clawed_back: int = 0
    """Rewards of theirs that were reversed."""
    depositors: int = 0
    minimum_depositors: int = 0
    """Referees whose first deposit was exactly the minimum."""
    quick_withdrawers: int = 0
    """Referees who withdrew soon after the first deposit."""
    spacing_variation_percent: int | None = None
    """Variation of the times between the latest signups; None for fewer than five of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHits:
    """Kinds of the entries that the pair is on, for each list."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Evidence about one pair; what nobody reported is None or missing, and weighs nothing."""

    version: int = SNAPSHOT_VERSION
    same_player: bool = False
    known: tuple[str, ...] = ()
    """Fields that the referee's signup or deposits carried."""
    requires: tuple[str, ...] = ()
    """Fields without which the campaign's terms ask for a review."""
    links: tuple[Link, ...] = ()
    cluster: Cluster = Cluster()
    has_similar_name: bool | None = None
    """Unknown (None) where one of the two reported no name."""
    has_similar_mailbox: bool | None = None
    """True where the referee's mailbox is nearly that of the referrer, or of a late referee."""
    velocities: tuple[Velocity, ...] = ()
    behaviour: Behaviour = Behaviour()
    origin: NetworkOrigin = NetworkOrigin()
    referrer: ReferrerHistory = ReferrerHistory()
    lists: ListHits = ListHits()
    warnings: tuple[str, ...] = ()
    """Fraud providers that warned of the pair."""
    unavailable: tuple[str, ...] = ()
    """Fraud providers that did not answer."""
    sample_point: int = 9_999
    """Place of the referral among 10,000, by which the sample to be reviewed is drawn."""

    def link(self, kind: str) -> Link | None:
        return next((link for link in self.links if link.kind == kind), None)

    @property
    def missing(self) -> tuple[str, ...]:
        """The required fields that the referee's events did not carry."""
        return tuple(field for field in self.requires if field not in self.known)


def stored_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON gives it back, in one order whatever the order of gathering."""
    in_order = replace(
        snapshot,
        known=tuple(sorted(snapshot.known)),
        requires=tuple(sorted(snapshot.requires)),
        links=tuple(sorted(snapshot.links, key=lambda link: link.kind)),
        velocities=tuple(sorted(snapshot.velocities, key=lambda each: (each.of, each.window))),
    )
    # Not `asdict`, which copies every text and number, and takes longer than all rules.
    stored: dict[str, Any] = json.loads(json.dumps(in_order, default=_fields_of))
    return stored


def _fields_of(part: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    return {each.name: getattr(part, each.name) for each in fields(part)}


def read_snapshot(stored: dict[str, Any]) -> Snapshot:
    """Read a stored snapshot of any version; KeyError or TypeError for anything else."""
    if "version" not in stored:
        return _read_version_1(stored)
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    fields |= {
        "links": tuple(Link(**link) for link in stored["links"]),
        "cluster": Cluster(**stored["cluster"]),
        "velocities": tuple(Velocity(**each) for each in stored["velocities"]),
        "behaviour": Behaviour(**stored["behaviour"]),
        "origin": NetworkOrigin(**stored["origin"]),
        "referrer": ReferrerHistory(**stored["referrer"]),
        "lists": ListHits(**{name: tuple(kinds) for name, kinds in stored["lists"].items()}),
    }
    return Snapshot(**fields)


def _read_version_1(stored: dict[str, Any]) -> Snapshot:
    identity = Link(kind="kyc_subject", is_shared=stored["same_identity"], is_hard=True)
    hard = (
        ("payment_instrument", "shared_instruments"),
        ("device_id", "shared_devices"),
        ("phone", "shared_contacts"),
    )
    counts = [Link(kind=kind, others=stored[name], hard_others=stored[name]) for kind, name in hard]
    addresses = Link(kind="ip", siblings=stored["shared_addresses"])
    return Snapshot(
        version=1,
        same_player=stored["same_player"],
        links=(identity, *counts, addresses),
        warnings=tuple(stored["warnings"]),
        unavailable=tuple(stored["unavailable"]),
    )
