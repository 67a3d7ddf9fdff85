"""Conduct of a pair: what a flood of stakes, deposits or withdrawals cannot hide."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest

from db.engine import Database
from db.tables import ReferralRow
from domain.fraud.snapshot import Behaviour, Snapshot
from domain.intake.facts import Fact, Wager, Withdrawal
from referrals.fraud.conduct import MAX_FACTS, MAX_STAKES
from referrals.fraud.evidence import load_snapshot
from referrals.intake import facts
from tests import builders
from tests.builders import NOW, deposit, signup, unique, usd

MINUTE: Final = timedelta(minutes=1)
HOSTED: Final = {"origin": {"is_hosting": True, "as_of": "2026-01-01"}}


def wagers(player_id: str, *minors: int) -> list[Wager]:
    """Return stakes that are a minute apart."""
    return [
        Wager(
            event_id=unique("wager"),
            occurred_at=NOW + place * MINUTE * 3,
            player_id=player_id,
            stake=usd(minor),
        )
        for place, minor in enumerate(minors)
    ]


def withdrawals(player_id: str, *minutes: int) -> list[Withdrawal]:
    return [
        Withdrawal(
            event_id=unique("withdrawal"),
            occurred_at=NOW + minute * MINUTE,
            player_id=player_id,
            withdrawal_id=unique("w"),
            amount=usd(),
        )
        for minute in minutes
    ]


async def a_referral(database: Database) -> ReferralRow:
    async with database.transaction() as session:
        return await builders.a_bound_referral(session)


async def snapshot_of(
    database: Database, referral: ReferralRow, reported: Sequence[Fact], deposit_id: str = "none"
) -> Snapshot:
    async with database.transaction() as session:
        for fact in reported:
            player = str(getattr(fact, "player_id"))  # noqa: B009 - any of several shapes
            matching = HOSTED if isinstance(fact, type(signup())) else None
            await facts.record_fact(session, fact, player_id=player, door="http", matching=matching)
        return await load_snapshot(session, referral, deposit_event_id=deposit_id)


async def behaviour_of(database: Database, mine: Sequence[int], theirs: Sequence[int]) -> Behaviour:
    referral = await a_referral(database)
    bets = [*wagers(str(referral.referee_id), *mine), *wagers(referral.referrer_id, *theirs)]
    return (await snapshot_of(database, referral, bets)).behaviour


@pytest.mark.parametrize(
    ("mine", "theirs", "is_mirrored"),
    [
        ([1000, 2000, 1500], [1000, 2000, 1500], True),
        ([1000, 2000, 1500], [1100, 2100, 1600], False),
        ([1000, 2000], [1000, 2000], False),
        ([1000, 2000, 1500], [], None),
        # Small stakes of one's own dilute nothing: money is compared.
        ([1000, 2000, 1500, *[10] * 20], [1000, 2000, 1500], True),
        ([1000, 2000, 1500, 9000], [1000, 2000, 1500], False),
    ],
)
async def test_stakes_on_both_sides_are_mirrored_where_half_of_the_money_is(
    database: Database, mine: list[int], theirs: list[int], *, is_mirrored: bool | None
) -> None:
    assert (await behaviour_of(database, mine, theirs)).are_stakes_mirrored is is_mirrored


async def test_a_flood_of_the_referrers_stakes_hides_no_mirrored_ones(database: Database) -> None:
    flood = [10] * (MAX_STAKES + 40)

    found = await behaviour_of(database, [1000, 2000, 1500], [1000, 2000, 1500, *flood])

    assert (found.are_stakes_mirrored, found.has_more_stakes) == (True, False)


@pytest.mark.parametrize(("stakes", "are_more"), [(MAX_STAKES, False), (MAX_STAKES + 1, True)])
async def test_more_stakes_of_a_referee_than_are_compared_are_said(
    database: Database, stakes: int, *, are_more: bool
) -> None:
    found = await behaviour_of(database, [1000] * stakes, [1000, 2000, 1500])

    assert found.has_more_stakes is are_more


async def test_ever_so_many_deposits_push_no_signup_out(database: Database) -> None:
    referral = await a_referral(database)
    player = str(referral.referee_id)
    paid = [deposit(player, at=NOW + place * MINUTE) for place in range(MAX_FACTS + 2)]

    found = await snapshot_of(database, referral, [signup(player, email="a@b.example"), *paid])

    assert found.origin.is_hosting
    assert "email" in found.known


async def test_withdrawals_before_the_deposit_hide_none_after_it(database: Database) -> None:
    referral = await a_referral(database)
    player = str(referral.referee_id)
    paid = deposit(player, at=NOW + 200 * MINUTE)
    taken = withdrawals(player, *range(120), 205, 300)

    found = await snapshot_of(database, referral, [paid, *taken], paid.event_id)

    assert found.behaviour.deposit_to_withdrawal_s == 5 * 60
