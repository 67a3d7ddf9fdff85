"""A phone number, a mail address and a name in every field of the events: none is stored."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from db.engine import Database
from db.reporters import NOBODY, Reporter
from domain.attribution.install_referrer import Install
from domain.intake.facts import Signup
from domain.intake.sources import DEFAULT_SOURCE
from domain.privacy import Hasher
from referrals.intake import facts
from referrals.intake.events import DepositIn, EventIn, SignupIn
from referrals.intake.facts import RecordOutcome
from tests.builders import unique

HASHER: Final = Hasher("a key for tests, not a secret", public_url="https://refer.example")
SEEDS: Final = {
    "phone": "+44 7911 123456",
    "digits": "447911123456",
    "mail": "jane.seed@mail.example",
    "name": "Jane Seedling",
    "surname": "Seedling",
}
IDS: Final = frozenset(
    {"event_id", "occurred_at", "player_id", "deposit_id", "amount", "currency", "consent"}
)
"""Fields with shapes of their own, at which the event is refused."""
EVENTS: Final[Mapping[type[EventIn], Mapping[str, Any]]] = {
    SignupIn: {"currency": "USD"},
    DepositIn: {"deposit_id": "d-1", "amount": {"minor": 500, "currency": "USD"}},
}


def seeded(kind: type[EventIn], seed: str) -> EventIn:
    own: dict[str, Any] = {
        "event_id": unique("seeded"),
        "player_id": unique("player"),
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    fields = {field: seed for field in kind.model_fields if field not in IDS}
    return kind.model_validate(fields | own | dict(EVENTS[kind]))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", EVENTS)
async def test_no_field_of_an_event_keeps_a_persons_value(
    kind: type[EventIn], seed: str, database: Database
) -> None:
    event = seeded(kind, SEEDS[seed])
    async with database.transaction() as session:
        report = event.to_report(HASHER, None, source=DEFAULT_SOURCE, reporter=Reporter("tests"))
        await facts.record_facts(session, [report], door="http", route=False)
        (stored,) = await facts.facts_of_player(session, event.player_id)

    assert SEEDS[seed] not in repr(stored)


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ("jurisdiction", "US-NJ"),
        ("jurisdiction", "GB"),
        ("locale", "en_US.UTF-8"),
        ("locale", "zh-Hans_CN"),
        ("locale", "en-US,en;q=0.9"),
        ("platform", "web"),
        ("platform", "desktop"),
        ("method", "Apple Pay"),
        ("method", "VISA"),
        ("method", "newpay-2"),
        ("method", "bank_transfer"),
        ("method", "ApplePay"),
        ("referral_token", "AAECAwQFBgcICQoLDA0ODwAAAABpo9mAAg.c2lnbmF0dXJlLW9mLWl0"),
    ],
)
def test_what_has_the_shape_of_its_field_is_kept(field: str, kept: str) -> None:
    assert HASHER.hash_personal({field: kept}) == {field: kept}


def test_an_install_referrer_keeps_its_token_alone() -> None:
    token = "AAECAwQFBgcICQoLDA0ODwAAAABpo9mAAg.c2lnbmF0dXJlLW9mLWl0"
    raw = f"utm_source=jane&gclid=abc&email=jane%40mail.example&referral_token={token}"

    kept = Install(install_referrer=raw, install_version="jane").without_strangers()

    assert kept == Install(install_referrer=f"referral_token={token}")


async def test_an_event_that_an_earlier_release_kept_as_it_was_is_known_when_it_comes_again(
    database: Database,
) -> None:
    event = seeded(SignupIn, SEEDS["name"])
    fact = event.to_report(HASHER, None, source=DEFAULT_SOURCE, reporter=NOBODY).fact
    assert isinstance(fact, Signup)
    as_it_was = replace(
        fact,
        platform=SEEDS["name"],
        jurisdiction=SEEDS["name"],
        locale=SEEDS["name"],
        referral_token=SEEDS["name"],
    )
    async with database.transaction() as session:
        for reported, outcome in (
            (as_it_was, RecordOutcome.ACCEPTED),
            (fact, RecordOutcome.DUPLICATE),
        ):
            recorded = await facts.record_fact(
                session, reported, player_id=event.player_id, door="http", route=False
            )
            assert recorded is outcome
