"""A side of which a refund left nothing, when the referral is reversed and reinstated."""

from db.engine import Database
from domain.intake.facts import Deposit, TakeBack
from domain.lifecycle.referral import Stage
from tests import state
from tests.activities.campaigns.test_computed import money, paying, percent
from tests.activities.campaigns.test_computed_edges import assert_green
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.api.v1.cases.steps import reject_late_link
from tests.builders import chargeback, deposit, usd


async def pay_both_sides(database: Database) -> tuple[ReferralActs, Deposit]:
    """Bring the deposit that earns a flat sum for one side and a percentage for the other."""
    terms = paying(referrer={"flat": money(500)}, referee=percent("0.01"))
    acts = await sign_up(database, terms=terms)
    paid = deposit(acts.referee_id, minor=10_000)
    await acts.receives(paid)
    return acts, paid


async def test_a_side_of_nothing_is_reversed_with_the_other_and_reinstated_with_it(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts, paid = await pay_both_sides(fresh_database)
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(100), dispute_id="r1"))
    assert await acts.wake() is Stage.REWARDED
    assert (await state.player_balances(fresh_database, acts.referee_id)).available == 0
    await assert_green(acts, fresh_superuser)

    await acts.receives(chargeback(paid, dispute_id="c1"))
    assert await acts.wake() is Stage.REVERSED
    await assert_green(acts, fresh_superuser)

    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id="c1"))
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 500
    await assert_green(acts, fresh_superuser)


async def test_a_side_that_is_worth_nothing_any_more_is_reinstated_with_the_other(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts, paid = await pay_both_sides(fresh_database)
    await acts.wake()
    await acts.receives(chargeback(paid, dispute_id="c1"))
    assert await acts.wake() is Stage.REVERSED
    await acts.receives(
        chargeback(paid, TakeBack.REFUND, amount=usd(100), dispute_id="r1"),
        chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id="c1"),
    )

    assert await acts.wake() is Stage.REWARDED

    assert (await acts.referrer_balances()).available == 500
    assert (await state.player_balances(fresh_database, acts.referee_id)).available == 0
    await assert_green(acts, fresh_superuser)


async def test_a_reviewer_takes_back_a_side_of_nothing_with_the_other(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts, paid = await pay_both_sides(fresh_database)
    await acts.wake()
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(100), dispute_id="r1"))
    assert await acts.wake() is Stage.REWARDED
    await reject_late_link(acts)

    for _ in range(2):
        assert await acts.wake() is Stage.REVERSED

    assert (await acts.referrer_balances()).available == 0
    await assert_green(acts, fresh_superuser)
