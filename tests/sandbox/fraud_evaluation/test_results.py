"""The results: what is counted as stopped, lost and held by mistake."""

from sandbox.fraud_evaluation.groups import Group
from sandbox.fraud_evaluation.outcomes import Outcome
from sandbox.fraud_evaluation.results import KindResult, precision, recall, results_by_kind
from sandbox.fraud_evaluation.targets import measure


def outcome(
    referee_id: str, *, is_stopped: bool, paid_minor: int = 0, is_assessed: bool = True
) -> Outcome:
    return Outcome(
        referee_id=referee_id,
        is_assessed=is_assessed,
        is_stopped=is_stopped,
        was_reviewed=is_stopped,
        has_late_case=False,
        paid_minor=paid_minor,
        reasons=("shared_device",) if is_stopped else (),
    )


def a_group(kind: str, *, frauds: int = 0, honest: int = 0) -> Group:
    everyone = [f"{kind}-{n}" for n in range(frauds + honest)]
    return Group(
        kind=kind,
        number=1,
        campaign="open",
        players=(),
        referred=frozenset(everyone),
        frauds=frozenset(everyone[:frauds]),
        acts=(),
    )


def result_of(results: list[KindResult], kind: str) -> KindResult:
    return next(result for result in results if result.kind == kind)


def test_counts_what_is_paid_for_frauds_as_lost_and_honest_ones_apart() -> None:
    group = a_group("one device", frauds=2, honest=2)
    outcomes = {
        "one device-0": outcome("one device-0", is_stopped=True),
        "one device-1": outcome("one device-1", is_stopped=False, paid_minor=1000),
        "one device-2": outcome("one device-2", is_stopped=False, paid_minor=1000),
        "one device-3": outcome("one device-3", is_stopped=True),
    }
    counted = result_of(results_by_kind([group], outcomes), "one device")
    assert (counted.frauds, counted.frauds_stopped, counted.lost_minor) == (2, 1, 1000)
    assert (counted.recall, counted.honest_stopped_share, counted.reviewed) == (0.5, 0.5, 2)
    assert (precision([counted]), recall([counted])) == (0.5, 0.5)


def test_leaves_out_players_without_a_referral_or_a_deposit_that_was_assessed() -> None:
    group = a_group("family", honest=2)
    unassessed = outcome("family-0", is_stopped=False, is_assessed=False)
    counted = result_of(results_by_kind([group], {"family-0": unassessed}), "family")
    assert (counted.referrals, counted.honest_stopped_share) == (0, 0.0)


def test_misses_the_targets_when_everybody_is_paid_or_everybody_is_held() -> None:
    groups = [
        a_group("one device", frauds=20),
        a_group("slow drip", frauds=20),
        a_group("family", honest=20),
        a_group("streamer", honest=20),
    ]
    everyone = sorted(player for group in groups for player in group.referred)
    assert met_targets(groups, everyone, are_stopped=False) == [False, False, False, True, True]
    assert met_targets(groups, everyone, are_stopped=True) == [True, True, True, False, False]


def met_targets(groups: list[Group], players: list[str], *, are_stopped: bool) -> list[bool]:
    paid_minor = 0 if are_stopped else 1000
    outcomes = {
        player: outcome(player, is_stopped=are_stopped, paid_minor=paid_minor) for player in players
    }
    return [each.is_met for each in measure(results_by_kind(groups, outcomes))]
