"""Cycles, chains and stars of referrals among players that hard links join."""

import pytest

from domain.fraud.rings import MAX_CHAIN, Ring, find_ring

ONE_PERSON = {"a1": "A", "a2": "A", "a3": "A"}
TWO_PERSONS = {**ONE_PERSON, "b1": "B", "b2": "B"}
THREE_PERSONS = {**TWO_PERSONS, "c1": "C"}


def ring_of(referral: tuple[str, str], clusters: dict[str, str], *others: tuple[str, str]) -> Ring:
    referrer_id, referee_id = referral
    return find_ring(
        referrer_id=referrer_id,
        referee_id=referee_id,
        clusters=clusters,
        referred_by={referee: referrer for referrer, referee in others},
    )


@pytest.mark.parametrize(
    ("referral", "others", "persons"),
    [
        (("a1", "b1"), (), 0),
        (("a1", "a2"), (), 1),
        (("b1", "a2"), (("a1", "b1"),), 2),
        (("a2", "b2"), (("a1", "b1"), ("b1", "a2")), 2),
        (("b2", "a2"), (("a1", "b1"),), 2),
        (("c1", "a2"), (("a1", "b1"), ("b1", "c1")), 3),
        (("z", "y"), (("x", "z"), ("y", "x")), 3),
    ],
)
def test_counts_the_persons_in_the_circle_that_a_referral_closes(
    referral: tuple[str, str], others: tuple[tuple[str, str], ...], persons: int
) -> None:
    assert ring_of(referral, THREE_PERSONS, *others).cycle == persons


def test_a_chain_is_as_long_as_its_players_are_one_person() -> None:
    found = ring_of(("a2", "a3"), ONE_PERSON, ("a1", "a2"), ("someone", "a1"))

    assert found.chain == 2
    assert found.ancestors == 2


def test_a_star_counts_the_accounts_of_one_person_whom_a_referrer_brought() -> None:
    found = ring_of(("streamer", "a1"), ONE_PERSON, ("streamer", "a2"), ("streamer", "honest"))

    assert found.star == 2


def test_honest_referrals_in_a_row_are_no_ring() -> None:
    row = [(f"p{number}", f"p{number + 1}") for number in range(MAX_CHAIN + 4)]

    assert ring_of(row[-1], {}, *row[:-1]) == Ring(ancestors=MAX_CHAIN)
