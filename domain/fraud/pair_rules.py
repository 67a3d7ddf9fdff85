"""Soft rules about the pair: none of them holds a reward by itself."""

from typing import Final

from domain.fraud.predicates import at_most, inverse, is_fast, withdraws_soon
from domain.fraud.rule import Rule, Severity
from domain.fraud.snapshot import Link, Snapshot
from domain.fraud.thresholds import Thresholds


def _shares_browser(snapshot: Snapshot, _: Thresholds) -> bool | None:
    """Return whether only browsers were shared: an app's device has a hard rule."""
    device = snapshot.link("device_id")
    if device is None:
        return None
    is_hard = device.is_hard or device.hard_others > 0
    return not is_hard and (device.is_shared or device.others > 0)


def _shares_browser_and_never_deposited(snapshot: Snapshot, _: Thresholds) -> bool | None:
    """Return whether the pair shares a browser and its referrer only refers.

    Two people at one computer both play; a second account that is opened for the reward does not.
    """
    device, has_deposited = snapshot.link("device_id"), snapshot.referrer.has_deposited
    if device is None or has_deposited is None:
        return None
    return device.is_shared and not has_deposited


def _is_instrument_crowded(snapshot: Snapshot, _: Thresholds) -> bool | None:
    """Return whether too many share a card, number or mailbox: a shop lends out none of them."""
    links = [snapshot.link(kind) for kind in ("payment_instrument", "phone", "email")]
    known = [link for link in links if link is not None]
    return any(link.is_shared_by_too_many for link in known) if known else None


def _shares_crowded_device(snapshot: Snapshot, _: Thresholds) -> bool | None:
    """Return whether the pair has one device that links nobody, as a shop's tablet does."""
    device = snapshot.link("device_id")
    return None if device is None else device.is_crowd_shared


def _shares_address(snapshot: Snapshot, _: Thresholds) -> bool | None:
    address = snapshot.link("ip")
    return None if address is None else _joins_referrals(address)


def _shares_network(snapshot: Snapshot, limits: Thresholds) -> bool | None:
    """Return whether only the network is shared: the address itself has a rule of its own."""
    network = snapshot.link("network")
    if network is None:
        return None
    return _joins_referrals(network) and not _shares_address(snapshot, limits)


def _joins_referrals(link: Link) -> bool:
    """Return whether a soft value joins the pair, or this referee to another of the referrer's.

    Strangers at one address say nothing about this pair.
    """
    return link.is_shared or link.siblings > 0


def _is_crowded(snapshot: Snapshot, limits: Thresholds) -> bool | None:
    links = [link for kind in ("network", "device_id") if (link := snapshot.link(kind))]
    return any(link.siblings >= limits.crowd for link in links) if links else None


def _same_address_soon(snapshot: Snapshot, limits: Thresholds) -> bool | None:
    address = snapshot.link("ip")
    if address is None:
        return None
    return address.gap_s is not None and address.gap_s <= limits.same_address_gap_s


PAIR_RULES: Final = (
    Rule(
        "watched",
        Severity.SOFT,
        24,
        lambda s, _: bool(s.lists.watch),
        "A value of the pair is on the watch list.",
    ),
    Rule(
        "crowded_instrument",
        Severity.SOFT,
        15,
        _is_instrument_crowded,
        "More players use the referee's card, phone or mailbox than one person has accounts.",
    ),
    Rule(
        "crowded_device",
        Severity.SOFT,
        12,
        _shares_crowded_device,
        "The pair used one device that very many players use.",
    ),
    Rule(
        "shared_browser",
        Severity.SOFT,
        14,
        _shares_browser,
        "The referee's browser was used by another player.",
    ),
    Rule(
        "browser_of_idle_referrer",
        Severity.SOFT,
        26,
        _shares_browser_and_never_deposited,
        "The referrer, who never deposited, used the referee's browser.",
    ),
    Rule(
        "shared_address",
        Severity.SOFT,
        10,
        _shares_address,
        "The referee's internet address is that of the referrer or of another referee.",
    ),
    Rule(
        "shared_network",
        Severity.SOFT,
        5,
        _shares_network,
        "The referee is in the same network as the referrer or another referee.",
    ),
    Rule(
        "same_address_soon",
        Severity.SOFT,
        2,
        _same_address_soon,
        "The pair used one internet address within a short time.",
    ),
    Rule(
        "crowded_network",
        Severity.SOFT,
        16,
        _is_crowded,
        "Several of the referrer's referees came from one network or browser.",
    ),
    Rule(
        "similar_name",
        Severity.SOFT,
        8,
        lambda s, _: s.has_similar_name,
        "The names of the pair are nearly the same.",
    ),
    Rule(
        "similar_mailbox",
        Severity.SOFT,
        14,
        lambda s, _: s.has_similar_mailbox,
        "The mailbox is nearly that of the referrer or of another referee.",
    ),
    Rule(
        "minimum_deposit",
        Severity.SOFT,
        8,
        lambda s, _: s.behaviour.is_minimum_deposit,
        "The deposit is exactly the least that qualifies.",
    ),
    Rule(
        "hasty_deposit",
        Severity.SOFT,
        8,
        lambda s, t: at_most(s.behaviour.signup_to_deposit_s, t.hasty_deposit_s),
        "The deposit followed the signup within minutes.",
    ),
    Rule(
        "mirrored_stakes",
        Severity.SOFT,
        20,
        lambda s, _: s.behaviour.are_stakes_mirrored,
        "Both players staked the same amounts at the same times.",
    ),
    Rule(
        "quick_withdrawal",
        Severity.SOFT,
        20,
        lambda s, t: withdraws_soon(s.behaviour.deposit_to_withdrawal_s, s, t.quick_withdrawal_s),
        "The referee withdrew soon after the deposit.",
    ),
    Rule(
        "velocity_device",
        Severity.SOFT,
        20,
        is_fast("device"),
        "Many players signed up with one device in a short time.",
    ),
    Rule(
        "velocity_network",
        Severity.SOFT,
        8,
        is_fast("network"),
        "Many players signed up in one network in a short time.",
    ),
    Rule(
        "hosting_network",
        Severity.SOFT,
        15,
        lambda s, _: s.origin.is_hosting,
        "The referee came from a hosting or VPN network.",
    ),
    Rule(
        "disposable_mail",
        Severity.SOFT,
        15,
        lambda s, _: s.origin.is_disposable_mail,
        "The referee's mailbox is a disposable one.",
    ),
    Rule(
        "foreign_address",
        Severity.SOFT,
        12,
        lambda s, _: inverse(s.origin.is_in_jurisdiction),
        "The referee's address lies outside the country of the account.",
    ),
)
