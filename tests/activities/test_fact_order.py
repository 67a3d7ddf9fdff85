"""Independence of the money from the order and the repetition of facts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import Database
from domain.intake.facts import Chargeback, Deposit, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.qualification import qualification
from tests import state
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import NOW, TERMS, chargeback, deposit, usd
from tests.state import Balances

# The database is shared by all examples, and every example draws ids of its own.
BOUNDED: Final = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
AMOUNTS: Final = st.integers(1, 2500)
PLANS: Final = st.lists(
    st.tuples(AMOUNTS, st.lists(st.tuples(st.sampled_from(TakeBack), AMOUNTS), max_size=2)),
    min_size=1,
    max_size=3,
)
Plan = list[tuple[int, list[tuple[TakeBack, int]]]]


def facts_of_plan(acts: ReferralActs, plan: Plan) -> list[Deposit | Chargeback]:
    made: list[Deposit | Chargeback] = []
    for hours, (minor, taken) in enumerate(plan, start=1):
        paid = deposit(acts.referee_id, minor=minor, at=NOW + timedelta(hours=hours))
        takes = [chargeback(paid, kind, amount=usd(part)) for kind, part in taken]
        made += [paid, *takes]
    return made


async def balances_and_budget(acts: ReferralActs) -> tuple[Balances, int]:
    return (
        await state.player_balances(acts.database, acts.row.referrer_id),
        await state.budget(acts.database, acts.row.campaign_id),
    )


@BOUNDED
@given(plan=PLANS, draw=st.data())
async def test_facts_before_crediting_may_arrive_in_any_order(
    database: Database, plan: Plan, draw: st.DataObject
) -> None:
    acts = await sign_up(database)
    facts = facts_of_plan(acts, plan)
    earns = qualification(facts, TERMS, signed_up_at=NOW)
    facts_in_order = [
        *draw.draw(st.permutations(facts)),
        *draw.draw(st.lists(st.sampled_from(facts))),
    ]

    for fact in facts_in_order:
        await acts.receives(fact)
    last = await acts.wake()

    assert last is (Stage.REWARDED if earns else Stage.SIGNED_UP)
    credited = 1000 if earns else 0
    assert await balances_and_budget(acts) == (Balances(available=credited), 100_000 - credited)


@BOUNDED
@given(taken=st.lists(st.tuples(st.sampled_from(TakeBack), AMOUNTS), max_size=4), draw=st.data())
async def test_take_backs_of_the_credited_deposit_may_arrive_in_any_order(
    database: Database, taken: Sequence[tuple[TakeBack, int]], draw: st.DataObject
) -> None:
    acts = await sign_up(database)
    paid = deposit(acts.referee_id, minor=1500)
    await acts.receives(paid)
    await acts.credit()
    news = [chargeback(paid, kind, amount=usd(part)) for kind, part in taken]
    stands = qualification([paid, *news], TERMS, signed_up_at=NOW) is not None
    copies = draw.draw(st.lists(st.sampled_from(news))) if news else []

    for fact in (*draw.draw(st.permutations(news)), *copies):
        await acts.receives(fact)
        await acts.wake()

    assert (await acts.stored_row()).stage is (Stage.REWARDED if stands else Stage.REVERSED)
    credited = 1000 if stands else 0
    assert await balances_and_budget(acts) == (Balances(available=credited), 100_000 - credited)
