"""Facts of one player as hypothesis draws them."""

from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from domain.intake.facts import Chargeback, Deposit, Fact, TakeBack
from domain.money import Money
from tests.builders import NOW

PLAYER: Final = "player"
MINOR: Final = st.integers(0, 3000)
WHEN: Final = st.integers(-60 * 24, 60 * 24 * 40).map(lambda m: NOW + timedelta(minutes=m))
NAMES: Final = st.integers(0, 5)

DEPOSITS: Final = st.builds(
    lambda name, minor, at: Deposit(
        event_id=f"e-{name}-{minor}",
        occurred_at=at,
        player_id=PLAYER,
        deposit_id=f"d-{name}",
        amount=Money(minor, "USD"),
    ),
    NAMES,
    MINOR,
    WHEN,
)
CHARGEBACKS: Final = st.builds(
    lambda number, name, minor, at, kind: Chargeback(
        event_id=f"c-{number}",
        occurred_at=at,
        player_id=PLAYER,
        deposit_id=f"d-{name}",
        kind=kind,
        amount=None if minor is None else Money(minor, "USD"),
    ),
    st.integers(0, 10**6),
    NAMES,
    st.none() | MINOR,
    WHEN,
    st.sampled_from(TakeBack),
)
FACTS: Final[st.SearchStrategy[list[Fact]]] = st.lists(
    DEPOSITS | CHARGEBACKS, max_size=10, unique_by=lambda fact: fact.event_id
)
