"""Snapshots that are suspicious by one rule each."""

from dataclasses import replace
from typing import Any, Final

from domain.fraud.snapshot import (
    Behaviour,
    Cluster,
    Link,
    ListHits,
    NetworkOrigin,
    ReferrerHistory,
    Snapshot,
    Velocity,
)

CLEAN: Final = Snapshot()


def _link(kind: str, **sharing: Any) -> Snapshot:  # noqa: ANN401 - any field
    return Snapshot(links=(Link(kind=kind, **sharing),))


def _referrer(**history: Any) -> Snapshot:  # noqa: ANN401 - any field
    return Snapshot(referrer=ReferrerHistory(**history))


def _behaviour(**conduct: Any) -> Snapshot:  # noqa: ANN401 - any field
    return Snapshot(behaviour=Behaviour(**conduct))


def _velocity(of: str, window: str, count: int) -> Snapshot:
    return Snapshot(velocities=(Velocity(of=of, window=window, count=count),))


ROWS: Final = {
    "same_player": Snapshot(same_player=True),
    "same_identity": _link("kyc_subject", is_shared=True, is_hard=True),
    "known_identity": _link("kyc_subject", others=1, hard_others=1),
    "denied": Snapshot(lists=ListHits(deny=("phone",))),
    "shared_payment_instrument": _link("payment_instrument", others=1),
    "shared_device": _link("device_id", is_shared=True, is_hard=True),
    "shared_contact": _link("phone", others=1),
    "known_person": Snapshot(cluster=Cluster(players=2)),
    "referral_ring": Snapshot(cluster=Cluster(cycle=2)),
    "outside_warning": Snapshot(warnings=("device-intelligence",)),
    "signal_unavailable": Snapshot(unavailable=("device-intelligence",)),
    "missing_evidence": Snapshot(requires=("device_id",), known=("phone",)),
    "watched": Snapshot(lists=ListHits(watch=("network",))),
    "crowded_instrument": _link("payment_instrument", is_shared_by_too_many=True),
    "crowded_device": _link("device_id", is_crowd_shared=True),
    "shared_browser": _link("device_id", others=1),
    "browser_of_idle_referrer": replace(
        _link("device_id", is_shared=True), referrer=_referrer(has_deposited=False).referrer
    ),
    "shared_address": _link("ip", is_shared=True),
    "shared_network": _link("network", is_shared=True),
    "crowded_network": _link("device_id", siblings=4),
    "same_address_soon": _link("ip", gap_s=60),
    "similar_name": Snapshot(has_similar_name=True),
    "similar_mailbox": Snapshot(has_similar_mailbox=True),
    "minimum_deposit": _behaviour(is_minimum_deposit=True),
    "hasty_deposit": _behaviour(signup_to_deposit_s=60),
    "mirrored_stakes": _behaviour(are_stakes_mirrored=True),
    "more_stakes": _behaviour(has_more_stakes=True),
    "quick_withdrawal": _behaviour(deposit_to_withdrawal_s=3_600),
    "reward_cashed_out": _behaviour(credit_to_withdrawal_s=3_600),
    "velocity_device": _velocity("device", "1h", 3),
    "velocity_network": _velocity("network", "24h", 11),
    "velocity_code": _velocity("code", "1h", 6),
    "velocity_referrer": _velocity("referrer", "30d", 101),
    "velocity_campaign": _velocity("campaign", "1h", 501),
    "regular_spacing": _referrer(spacing_variation_percent=3),
    "hosting_network": Snapshot(origin=NetworkOrigin(is_hosting=True)),
    "disposable_mail": Snapshot(origin=NetworkOrigin(is_disposable_mail=True)),
    "foreign_address": Snapshot(origin=NetworkOrigin(is_in_jurisdiction=False)),
    "flagged_referees": _referrer(referees=10, flagged_referees=3),
    "charged_back_referees": _referrer(referees=10, charged_back=2, clawed_back=1),
    "alike_deposits": _referrer(depositors=5, minimum_depositors=5),
    "alike_withdrawals": _referrer(depositors=4, quick_withdrawers=2),
    "new_referrer": _referrer(account_age_s=3_600),
    "referrer_never_deposited": _referrer(has_deposited=False),
    "shared_by_too_many": _link("ip", is_shared_by_too_many=True),
    "allowed": Snapshot(lists=ListHits(allow=("player",))),
}
