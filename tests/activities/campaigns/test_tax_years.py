"""Yearly thresholds of players over all campaigns, by the acts: warned, deferred, released."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text

from db.engine import Database
from db.tables import AuditRow, OutboxRow
from domain.campaigns.limits.periods import CALENDAR_YEAR
from domain.campaigns.limits.thresholds import Thresholds, comes_near, parse_thresholds
from domain.campaigns.terms import Terms
from domain.intake.facts import FactKind, TakeBack
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.holds import HoldReason
from messaging.events import TaxThresholdAlert
from referrals.access.audit import Actor
from referrals.campaigns import tax_years
from referrals.intake.facts import facts_of_player
from tests import state
from tests.activities.referral_acts import LATER, ReferralActs, acts_on, sign_up
from tests.builders import TERMS, a_player_id, chargeback, deposit, unique, usd
from tests.state import Balances

DAY: Final = timedelta(days=1)
TWENTY: Final[Thresholds] = {"USD": usd(2000)}
THIRTY: Final[Thresholds] = {"USD": usd(3000)}
NEXT_YEAR: Final = datetime(LATER.year + 1, 1, 1, tzinfo=UTC)
REVIEWER: Final = Actor(name="rita", request_id=None, reason="the form was received")
PAID, WAITS, HELD = Stage.REWARDED, Stage.DEFERRED, Stage.HELD
BOTH: Final = replace(TERMS, referee_reward=usd(500))


async def friends_of(
    database: Database,
    referrer_id: str,
    number: int = 1,
    *,
    thresholds: Thresholds = THIRTY,
    terms: Terms = TERMS,
    until: datetime = LATER,
) -> list[ReferralActs]:
    """Credit friends of a player, each of a campaign of its own, a minute apart."""
    found: list[ReferralActs] = []
    for minutes in range(number):
        signed_up = await sign_up(database, terms=terms, referrer_id=referrer_id)
        acts = acts_on(database, signed_up.row, thresholds=thresholds)
        await acts.receives(deposit(acts.referee_id))
        await acts.credit(at=until - timedelta(minutes=number - minutes))
        found.append(acts)
    return found


async def stages(found: Sequence[ReferralActs]) -> list[Stage]:
    return [(await acts.stored_row()).stage for acts in found]


async def alerts_of(database: Database, player_id: str) -> list[tuple[int, int]]:
    query = select(OutboxRow.payload).where(OutboxRow.aggregateid == f"player:{player_id}")
    async with database.reading() as session:
        told = [
            TaxThresholdAlert.model_validate(payload)
            for payload in await session.scalars(query.order_by(OutboxRow.seq))
        ]
    assert {(one.player_id, one.tax_year, one.limit.minor) for one in told} <= {
        (player_id, NEXT_YEAR.replace(year=LATER.year).date(), 3000)
    }
    return [(one.threshold, one.total.minor) for one in told]


async def release(database: Database, player_id: str) -> tax_years.TaxYear:
    async with database.transaction() as session:
        return await tax_years.release(
            session, player_id, REVIEWER, at=LATER, tax_year_start=CALENDAR_YEAR
        )


async def wake_ups(database: Database, acts: ReferralActs) -> list[str]:
    query = text("""
        select event_id from deliveries
         where referral_id = :id and event_id like 'tax%/%' order by id
    """)
    async with database.reading() as session:
        return list(await session.scalars(query, {"id": acts.row.id}))


async def test_warns_near_the_threshold_and_defers_beyond_it_over_all_campaigns(
    fresh_database: Database,
) -> None:
    referrer = unique("referrer")
    found = await friends_of(fresh_database, referrer, 5)
    assert await stages(found) == [PAID, PAID, PAID, WAITS, WAITS]
    assert await alerts_of(fresh_database, referrer) == [(75, 3000), (100, 3000)]

    waiting = found[3]
    assert await waiting.open_hold_reasons() == {HoldReason.TAX}
    assert (await waiting.stored_row()).until == NEXT_YEAR
    assert await waiting.wake() is WAITS
    assert await waiting.referrer_balances() == Balances(available=3000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_release_is_audited_once_and_pays_what_waits(fresh_database: Database) -> None:
    referrer = unique("referrer")
    found = await friends_of(fresh_database, referrer, 3, thresholds=TWENTY)
    year = await release(fresh_database, referrer)
    assert (year.released_by, list(year.totals)) == ("rita", [usd(2000)])
    assert await release(fresh_database, referrer) == year

    query = select(AuditRow).where(AuditRow.action == "player.tax_release")
    async with fresh_database.reading() as session:
        (signed,) = (await session.scalars(query)).all()
    assert (signed.actor, signed.subject) == ("rita", f"player:{referrer}")
    assert signed.reason == "the form was received"
    assert [len(await wake_ups(fresh_database, acts)) for acts in found] == [0, 0, 1]

    assert await found[2].wake() is PAID
    assert await stages(await friends_of(fresh_database, referrer, thresholds=TWENTY)) == [PAID]
    assert await found[0].referrer_balances() == Balances(available=4000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_a_new_tax_year_begins_at_nothing(fresh_database: Database) -> None:
    referrer = unique("referrer")
    found = await friends_of(fresh_database, referrer, 3, thresholds={"USD": usd(1999)})
    assert await stages(found) == [PAID, WAITS, WAITS]
    waiting = found[1:]
    just_before = NEXT_YEAR - timedelta(seconds=1)
    assert [await acts.wake(at=just_before) for acts in waiting] == [WAITS, WAITS]
    assert [await acts.wake(at=NEXT_YEAR) for acts in waiting] == [PAID, WAITS]
    assert (await waiting[-1].stored_row()).until == NEXT_YEAR.replace(year=NEXT_YEAR.year + 1)
    assert await state.violated_invariants(fresh_database) == {}


async def test_held_rewards_count_and_voided_and_reversed_ones_do_not(
    fresh_database: Database,
) -> None:
    referrer = unique("referrer")
    held = await friends_of(fresh_database, referrer, 2, terms=replace(TERMS, hold_period=DAY))
    (paid,) = await friends_of(fresh_database, referrer)
    (waiting,) = await friends_of(fresh_database, referrer)
    assert await stages([*held, paid, waiting]) == [HELD, HELD, PAID, WAITS]

    (taken,) = (fact for fact in await _deposits(held[0]))
    await held[0].receives(chargeback(taken))
    assert await held[0].wake() is Stage.VOIDED
    assert await wake_ups(fresh_database, waiting) != []
    assert await waiting.wake() is PAID
    assert await held[1].wake(at=LATER + 2 * DAY) is PAID
    assert await paid.referrer_balances() == Balances(available=3000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_a_reversal_frees_wakes_the_longest_waiting_and_each_the_next(
    fresh_database: Database,
) -> None:
    referrer = unique("referrer")
    larger = replace(TERMS, referrer_reward=usd(2000))
    (large,) = await friends_of(fresh_database, referrer, thresholds=TWENTY, terms=larger)
    waiting = await friends_of(fresh_database, referrer, 3, thresholds=TWENTY)
    assert await stages([large, *waiting]) == [PAID, WAITS, WAITS, WAITS]
    other = await friends_of(fresh_database, unique("referrer"), 3, thresholds=TWENTY)

    (taken,) = (fact for fact in await _deposits(large))
    await large.receives(chargeback(taken))
    assert await large.wake() is Stage.REVERSED
    assert [len(await wake_ups(fresh_database, acts)) for acts in waiting] == [1, 0, 0]
    assert await waiting[0].wake() is PAID
    assert [len(await wake_ups(fresh_database, acts)) for acts in waiting] == [1, 1, 0]
    assert await waiting[1].wake() is PAID
    assert await waiting[2].wake() is WAITS
    assert [len(await wake_ups(fresh_database, acts)) for acts in waiting] == [1, 1, 1]
    assert await wake_ups(fresh_database, other[2]) == []

    await large.receives(chargeback(taken, TakeBack.CHARGEBACK_WON))
    assert await large.wake() is Stage.REVERSED
    assert await large.open_hold_reasons() == {HoldReason.TAX}
    assert await state.violated_invariants(fresh_database) == {}


async def test_one_that_needs_more_than_is_freed_lets_a_smaller_one_pass(
    fresh_database: Database,
) -> None:
    referrer = unique("referrer")
    larger = replace(TERMS, referrer_reward=usd(2000))
    (large,) = await friends_of(fresh_database, referrer, terms=larger)
    (paid,) = await friends_of(fresh_database, referrer)
    earlier = LATER - timedelta(minutes=5)
    waiting = await friends_of(fresh_database, referrer, 2, terms=larger, until=earlier)
    waiting += await friends_of(fresh_database, referrer)
    assert await stages([large, paid, *waiting]) == [PAID, PAID, WAITS, WAITS, WAITS]

    (taken,) = (fact for fact in await _deposits(paid))
    await paid.receives(chargeback(taken))
    assert await paid.wake() is Stage.REVERSED
    assert [len(await wake_ups(fresh_database, acts)) for acts in waiting] == [1, 0, 0]
    assert await waiting[0].wake() is WAITS
    assert [len(await wake_ups(fresh_database, acts)) for acts in waiting] == [1, 0, 1]
    # Its money is reserved: all that it waits for by now is a reviewer.
    assert await waiting[2].wake() is HELD
    assert await waiting[2].open_hold_reasons() == {HoldReason.REVIEW}
    assert await state.violated_invariants(fresh_database) == {}


async def _deposits(acts: ReferralActs) -> Sequence[Any]:
    async with acts.database.reading() as session:
        return await facts_of_player(session, acts.referee_id, FactKind.DEPOSIT)


async def test_the_friends_threshold_defers_both_sides(fresh_database: Database) -> None:
    friends: Thresholds = {"USD": usd(400)}
    (acts,) = await friends_of(fresh_database, unique("referrer"), thresholds=friends, terms=BOTH)
    # The referrer's reward alone is beyond it already, and goes first.
    row = await acts.stored_row()
    assert row.stage is WAITS
    await release(fresh_database, row.referrer_id)
    assert await acts.wake() is WAITS
    await release(fresh_database, acts.referee_id)
    assert await acts.wake() is PAID
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_was_credited_before_there_was_a_threshold_counts(
    fresh_database: Database,
) -> None:
    referrer = unique("referrer")
    await friends_of(fresh_database, referrer, 3, thresholds={})
    async with fresh_database.reading() as session:
        year = await tax_years.find_tax_year(
            session, referrer, at=LATER, tax_year_start=CALENDAR_YEAR
        )
    assert list(year.totals) == [usd(3000)]
    assert await stages(await friends_of(fresh_database, referrer)) == [WAITS]


async def test_other_currencies_and_other_players_have_thresholds_of_their_own(
    fresh_database: Database,
) -> None:
    euros: Thresholds = {"EUR": Money(1, "EUR")}
    assert await stages(await friends_of(fresh_database, unique("referrer"), thresholds=euros)) == [
        PAID
    ]
    for _ in range(4):
        assert await stages(await friends_of(fresh_database, unique("referrer"))) == [PAID]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (None, {}),
        ("", {}),
        ("600.00 USD, 500 EUR", {"USD": 60_000, "EUR": 50_000}),
        ("600 JPY, 1.500 KWD", {"JPY": 600, "KWD": 1500}),
    ],
)
def test_thresholds_are_written_as_amounts(written: str | None, found: dict[str, int]) -> None:
    parsed = parse_thresholds(written)
    assert {currency: money.minor for currency, money in parsed.items()} == found


@pytest.mark.parametrize(
    "written", ["600", "600 usd", "6e2 USD", "1.5 JPY", "0 USD", "1 USD, 2 USD", "-1 USD"]
)
def test_thresholds_that_say_nothing_clear_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_thresholds(written)


def test_a_warning_is_due_once_when_three_quarters_are_reached() -> None:
    assert not comes_near(0, 2249, usd(3000))
    assert comes_near(0, 2250, usd(3000))
    assert comes_near(2249, 3000, usd(3000))
    assert not comes_near(2250, 3000, usd(3000))


async def test_a_player_whom_nobody_has_heard_of_may_be_released(fresh_database: Database) -> None:
    year = await release(fresh_database, a_player_id())
    assert (year.released_by, list(year.totals)) == ("rita", [])
