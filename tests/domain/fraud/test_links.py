"""Values that two players share, kind by kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.fraud.links import MAX_SHARERS, KindLinks, LinkKind, PlayerLink, compare

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def link(
    value: str = "v",
    kind: LinkKind = LinkKind.DEVICE_ID,
    *,
    at: datetime = NOW,
    lasting: timedelta = timedelta(0),
    is_strong: bool = True,
    others: int = 0,
    is_early: bool = True,
) -> PlayerLink:
    return PlayerLink(
        kind=kind,
        value=value,
        is_strong=is_strong,
        first_seen_at=at,
        last_seen_at=at + lasting,
        others=others,
        is_early=is_early,
    )


def shared(referrer: PlayerLink, referee: PlayerLink) -> KindLinks:
    return next(found for found in compare([referrer], [referee]) if found.kind is referee.kind)


def test_every_kind_is_there_once_and_unknown_without_values() -> None:
    assert compare([], []) == tuple(KindLinks(kind=kind) for kind in LinkKind)


def test_another_value_of_a_known_kind_is_not_shared() -> None:
    found = shared(link("one"), link("other"))

    assert (found.referrer_known, found.referee_known, found.is_shared) == (True, True, False)


def test_a_link_is_hard_if_the_value_of_one_of_the_players_is_strong() -> None:
    weak = link(is_strong=False)

    assert shared(link(), link()).is_hard
    assert shared(link(), weak).is_hard
    assert shared(weak, link()).is_hard
    assert shared(weak, weak) == KindLinks(
        kind=LinkKind.DEVICE_ID,
        referrer_known=True,
        referee_known=True,
        is_shared=True,
        is_hard=False,
        gap_s=0,
    )


def test_a_value_that_too_many_share_links_nobody_and_says_so() -> None:
    just = link(others=MAX_SHARERS - 2, is_early=False)
    over = link(others=MAX_SHARERS - 1, is_early=False)

    assert shared(link(), just).is_hard
    assert not shared(link(), just).shared_by_too_many
    assert not shared(link(), over).is_shared
    assert shared(link(), over).others == 0
    assert shared(link(), over).shared_by_too_many
    assert shared(link(), over).is_crowd_shared


def test_a_crowd_that_came_later_does_not_undo_a_link_of_what_names_one_person() -> None:
    flooded = link(others=MAX_SHARERS)
    weak = link(others=MAX_SHARERS, is_strong=False)
    late = link(is_early=False)

    found = shared(link(), flooded)

    assert (found.is_hard, found.shared_by_too_many, found.is_crowd_shared) == (True, True, False)
    for one, other in ((link(), weak), (late, flooded)):
        assert not shared(one, other).is_shared
        assert shared(one, other).is_crowd_shared


def test_a_verified_person_is_one_person_whatever_the_number_of_accounts() -> None:
    person = link(kind=LinkKind.KYC_SUBJECT, others=MAX_SHARERS)

    assert shared(person, person).is_hard
    assert not shared(person, person).shared_by_too_many


def test_the_gap_is_the_shortest_time_between_two_uses() -> None:
    hour = timedelta(hours=1)

    assert shared(link(lasting=hour), link(at=NOW + 3 * hour)).gap_s == 2 * 3600
    assert shared(link(lasting=3 * hour), link(at=NOW + hour)).gap_s == 0


@given(st.data())
def test_the_order_of_values_does_not_matter(data: Any) -> None:  # noqa: ANN401 - of hypothesis
    values = [
        link(name, kind, others=others)
        for kind in (LinkKind.IP, LinkKind.DEVICE_ID)
        for name, others in (("a", 0), ("b", 3), ("c", MAX_SHARERS))
    ]
    theirs, mine = (data.draw(st.permutations(values)) for _ in range(2))

    assert compare(theirs, mine) == compare(values, values)
