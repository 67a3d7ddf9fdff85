"""Values that too many players share: they release nobody whom they linked before."""

from datetime import datetime, timedelta
from typing import Final

from db.engine import Database
from domain.fraud.links import MAX_SHARERS
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.activities.test_fraud_signals import latest_assessment
from tests.builders import NOW, a_player_id, deposit, unique

CARD: Final = "payment_instrument"


async def strangers_deposit(
    acts: ReferralActs, card: str, *, players: int, at: datetime = NOW
) -> None:
    for _ in range(players):
        stranger = a_player_id()
        paid = deposit(stranger, payment_instrument=card, at=at)
        await acts.receives(paid, player_id=stranger)


async def test_a_farm_that_outgrows_the_cap_does_not_release_what_is_held(
    database: Database,
) -> None:
    acts, card = await sign_up(database), unique("card")
    await strangers_deposit(acts, card, players=1)
    await acts.receives(deposit(acts.referee_id, payment_instrument=card))
    assert (await acts.credit()).stage is Stage.HELD

    await strangers_deposit(acts, card, players=MAX_SHARERS)

    assert await acts.wake() is Stage.HELD
    assert "shared_payment_instrument" in (await acts.latest_review()).reasons


async def test_a_card_of_a_whole_farm_weighs_although_it_links_nobody(
    database: Database,
) -> None:
    acts, card = await sign_up(database), unique("card")
    await strangers_deposit(acts, card, players=MAX_SHARERS, at=NOW - timedelta(days=1))
    await acts.receives(deposit(acts.referee_id, payment_instrument=card))

    assert (await acts.credit()).stage is Stage.REWARDED

    judged = await latest_assessment(acts)
    assert {"crowded_instrument", "shared_by_too_many"} <= set(judged.reasons)
    assert "shared_payment_instrument" not in judged.reasons
