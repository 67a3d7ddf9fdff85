"""Facts, their kinds and their times."""

from datetime import datetime

import pytest

from domain.intake.facts import FACT_TYPES, Fact, FactKind, Signup, kind_of
from tests.builders import chargeback, decision, deposit, signup, status_change


def test_refuses_a_time_without_an_offset() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="without an offset"):
        signup("ann", at=naive)
    assert isinstance(signup("ann"), Signup)


def test_every_fact_knows_its_kind() -> None:
    paid = deposit()
    known: dict[FactKind, Fact] = {
        FactKind.SIGNUP: signup(),
        FactKind.DEPOSIT: paid,
        FactKind.CHARGEBACK: chargeback(paid),
        FactKind.PLAYER: status_change("p"),
        FactKind.DECISION: decision(),
    }

    assert all(kind_of(fact) is kind for kind, fact in known.items())
    assert set(FACT_TYPES) == set(FactKind)
