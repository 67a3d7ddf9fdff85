"""Deposits taken back, and given back, after their reward was credited."""

from datetime import timedelta
from typing import Final

import pytest

from db.engine import Database
from domain.intake.facts import Deposit, TakeBack
from domain.lifecycle.referral import Stage
from domain.money import Money
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import NOW, chargeback, deposit, usd
from tests.state import Balances

ONE_CENT: Final = Money(1, "EUR")


@pytest.mark.parametrize(
    ("taken", "given_back"),
    [
        (TakeBack.CHARGEBACK, TakeBack.CHARGEBACK_WON),
        (TakeBack.REFUND, TakeBack.REFUND_FAILED),
    ],
)
async def test_a_cent_of_another_currency_gives_nothing_back(
    database: Database, taken: TakeBack, given_back: TakeBack
) -> None:
    acts, paid = await credit(database)
    await acts.receives(chargeback(paid, taken))
    assert await acts.wake() is Stage.REVERSED

    await acts.receives(chargeback(paid, given_back, amount=ONE_CENT))

    assert await acts.wake() is Stage.REVERSED
    assert await acts.referrer_balances() == Balances()


async def test_one_dispute_under_two_event_ids_is_won_once_and_given_back(
    database: Database,
) -> None:
    acts, paid = await credit(database)
    webhook, settlement_file = (chargeback(paid, dispute_id="d-1") for _ in range(2))
    await acts.receives(webhook, settlement_file)
    assert await acts.wake() is Stage.REVERSED

    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id="d-1"))

    assert await acts.wake() is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_of_two_disputes_of_a_deposit_each_must_be_won(database: Database) -> None:
    acts, paid = await credit(database)
    disputes = [chargeback(paid, amount=usd(600), dispute_id=name) for name in ("d-1", "d-2")]
    await acts.receives(*disputes)
    assert await acts.wake() is Stage.REVERSED

    await acts.receives(
        chargeback(paid, TakeBack.CHARGEBACK_WON, amount=usd(600), dispute_id="d-1")
    )
    assert await acts.wake() is Stage.REVERSED

    await acts.receives(
        chargeback(paid, TakeBack.CHARGEBACK_WON, amount=usd(600), dispute_id="d-2")
    )
    assert await acts.wake() is Stage.REWARDED


async def test_a_refund_that_failed_at_the_bank_gives_the_reward_back(database: Database) -> None:
    acts, paid = await credit(database)
    await acts.receives(chargeback(paid, TakeBack.REFUND))
    assert await acts.wake() is Stage.REVERSED

    await acts.receives(chargeback(paid, TakeBack.REFUND_FAILED))

    assert await acts.wake() is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_a_failed_refund_does_not_win_a_chargeback(database: Database) -> None:
    acts, paid = await credit(database)
    await acts.receives(chargeback(paid))
    await acts.wake()

    await acts.receives(chargeback(paid, TakeBack.REFUND_FAILED))

    assert await acts.wake() is Stage.REVERSED


async def test_running_totals_of_one_refund_count_once(database: Database) -> None:
    acts, paid = await credit(database, minor=2500)
    for hours, minor in enumerate((500, 900, 1400), start=2):
        at = NOW + timedelta(hours=hours)
        total = chargeback(paid, TakeBack.REFUND, amount=usd(minor), dispute_id="r-1", at=at)
        await acts.receives(total)
        await acts.wake()

    assert (await acts.stored_row()).stage is Stage.REWARDED


async def credit(database: Database, *, minor: int = 1000) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database)
    paid = deposit(acts.referee_id, minor=minor)
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    return acts, paid
