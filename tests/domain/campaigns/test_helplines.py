"""Helplines that a visitor sees, by place."""

import pytest

from domain.campaigns.helplines import Helpline, helplines_for

NEW_JERSEY = Helpline(jurisdiction="US-NJ", text="Call 1-800-GAMBLER.", phone="1-800-426-2537")
ONTARIO = Helpline(jurisdiction="CA-ON", text="Call ConnexOntario.", phone="1-866-531-2600")
BRITAIN = Helpline(jurisdiction="GB", text="Call GamCare.", phone="0808 8020 133")
ELSEWHERE = Helpline(jurisdiction="*", text="Help is there.", phone="116 123")
ALL = (NEW_JERSEY, ONTARIO, BRITAIN, ELSEWHERE)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("US-NJ", (NEW_JERSEY,)),
        ("US", (NEW_JERSEY,)),
        ("GB-SCT", (BRITAIN,)),
        ("US-NY", (ELSEWHERE,)),
        ("BR", (ELSEWHERE,)),
        ("us_nj", (NEW_JERSEY,)),
        ("UK", (BRITAIN,)),
        (None, ALL),
    ],
)
def test_shows_the_lines_of_a_place_and_all_where_it_is_unknown(
    place: str | None, shown: tuple[Helpline, ...]
) -> None:
    assert helplines_for(ALL, place) == shown


def test_shows_nothing_where_no_line_is_named() -> None:
    assert helplines_for((BRITAIN,), "US-NJ") == ()
