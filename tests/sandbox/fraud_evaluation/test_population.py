"""The population: who is in it, and what its members share."""

import pytest

from sandbox.fraud_evaluation.groups import ActKind, Group
from sandbox.fraud_evaluation.population import KINDS, Kind, make_population

PLAYERS = 2_000
POPULATION = make_population(PLAYERS, seed=1)


def of_kind(name: str) -> list[Group]:
    return [group for group in POPULATION if group.kind == name]


def test_plans_the_same_population_for_a_seed_only() -> None:
    assert make_population(400, seed=3) == make_population(400, seed=3)
    assert make_population(400, seed=3) != make_population(400, seed=4)


def test_has_as_many_players_as_asked_for_and_a_twentieth_of_them_in_rings() -> None:
    rings = {kind.name for kind in KINDS if kind.is_ring}
    everyone = sum(len(group.players) for group in POPULATION)
    ring_members = sum(len(group.players) for group in POPULATION if group.kind in rings)
    assert everyone == pytest.approx(PLAYERS, rel=0.03)
    assert ring_members / everyone == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_frauds_are_in_rings_only_and_every_kind_brings_somebody(kind: Kind) -> None:
    groups = of_kind(kind.name)
    assert any(group.referred for group in groups)
    assert any(group.frauds for group in groups) == kind.is_ring
    assert all(group.frauds <= group.referred for group in groups)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_everybody_signs_up_before_somebody_names_them_or_their_code(kind: Kind) -> None:
    for group in of_kind(kind.name):
        seen: set[str] = set()
        for act in group.acts:
            assert act.brought_by is None or act.brought_by in seen
            if act.kind is ActKind.SIGNUP:
                seen.add(act.account.player_id)
            assert act.account.player_id in seen


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("one device", "device_id"),
        ("one card, clean devices", "card"),
        ("one passport", "kyc_subject"),
        ("family with one card", "card"),
        ("family", "ip"),
        ("dormitory", "ip"),
        ("one browser, changing address", "device_id"),
    ],
)
def test_a_group_shares_what_its_kind_says(kind: str, field: str) -> None:
    for group in of_kind(kind):
        assert len({getattr(account, field) for account in group.players}) == 1


@pytest.mark.parametrize("kind", ["friends", "streamer", "residential proxies"])
def test_others_share_neither_device_card_phone_nor_document(kind: str) -> None:
    for group in of_kind(kind):
        for field in ("device_id", "card", "phone", "kyc_subject"):
            values = [value for one in group.players if (value := getattr(one, field))]
            assert len(set(values)) == len(values)


def test_the_streamer_brings_a_whole_audience_through_one_code() -> None:
    (streamer,) = of_kind("streamer")
    assert len({act.brought_by for act in streamer.acts if act.brought_by}) == 1
    assert len(streamer.referred) == len(streamer.players) - 1
