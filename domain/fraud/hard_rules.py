"""Hard rules: certainties reject, and each of the others asks for a review by itself."""

from typing import Final

from domain.fraud.rule import Predicate, Rule, Severity
from domain.fraud.snapshot import Snapshot
from domain.fraud.thresholds import Thresholds


def _shares(*kinds: str) -> Predicate:
    def predicate(snapshot: Snapshot, _: Thresholds) -> bool | None:
        links = [link for kind in kinds if (link := snapshot.link(kind))]
        return any(link.is_shared or link.others for link in links) if links else None

    return predicate


def _same_identity(snapshot: Snapshot, _: Thresholds) -> bool | None:
    identity = snapshot.link("kyc_subject")
    return None if identity is None else identity.is_shared


def _identity_elsewhere(snapshot: Snapshot, _: Thresholds) -> bool | None:
    identity = snapshot.link("kyc_subject")
    return None if identity is None else identity.others > 0


def _shares_device(snapshot: Snapshot, _: Thresholds) -> bool | None:
    device = snapshot.link("device_id")
    return None if device is None else device.is_hard or device.hard_others > 0


def _is_in_ring(snapshot: Snapshot, limits: Thresholds) -> bool:
    cluster = snapshot.cluster
    is_row = cluster.chain >= limits.ring_chain or cluster.star >= limits.ring_star
    return cluster.cycle > 1 or is_row


HARD_RULES: Final = (
    Rule(
        "same_player",
        Severity.CERTAIN,
        100,
        lambda s, _: s.same_player,
        "The referrer and the referee are one account.",
    ),
    Rule(
        "same_identity",
        Severity.CERTAIN,
        100,
        _same_identity,
        "Both players were verified as the same person.",
    ),
    Rule(
        "known_identity",
        Severity.HARD,
        90,
        _identity_elsewhere,
        "The referee was verified as a person who has another account.",
    ),
    Rule(
        "denied",
        Severity.HARD,
        80,
        lambda s, _: bool(s.lists.deny),
        "A value of the pair is on the deny list.",
    ),
    Rule(
        "shared_payment_instrument",
        Severity.HARD,
        70,
        _shares("payment_instrument"),
        "The referee pays with a card or account that another player uses.",
    ),
    Rule(
        "shared_device",
        Severity.HARD,
        60,
        _shares_device,
        "The referee's phone or tablet was used by another player.",
    ),
    Rule(
        "shared_contact",
        Severity.HARD,
        60,
        _shares("phone", "email"),
        "The referee's phone number or mailbox is another player's.",
    ),
    Rule(
        "known_person",
        Severity.HARD,
        60,
        lambda s, _: s.cluster.players > 1,
        "Strong links join the referee to other players: this is not a new person.",
    ),
    Rule(
        "referral_ring",
        Severity.HARD,
        60,
        _is_in_ring,
        "Players joined by strong links refer each other in a cycle, a chain or a star.",
    ),
    Rule(
        "outside_warning",
        Severity.HARD,
        60,
        lambda s, _: bool(s.warnings),
        "A fraud provider warned of the pair.",
    ),
    Rule(
        "signal_unavailable",
        Severity.HARD,
        50,
        lambda s, _: bool(s.unavailable),
        "A fraud provider did not answer.",
    ),
    Rule(
        "missing_evidence",
        Severity.HARD,
        50,
        lambda s, _: bool(s.missing),
        "Evidence that the campaign requires was not reported.",
    ),
)
LASTING_RULES: Final = frozenset(
    {
        "known_identity",
        "denied",
        "shared_payment_instrument",
        "shared_device",
        "shared_contact",
        "known_person",
        "referral_ring",
    }
)
"""Rules about links and denied values: what was asked of a person stays asked, though a value may
come to be shared by too many, or leave its list. Silence never pays."""
