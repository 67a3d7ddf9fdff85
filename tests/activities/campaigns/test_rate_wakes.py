"""Deposits without an exchange rate: which referrals are told of one, and of a rate."""

from db.engine import Database
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.reporting.referral_views import find_referral
from referrals.rewards.hold_views import HoldView
from tests.activities.campaigns.ruled import looks
from tests.activities.campaigns.test_currencies import DAY, begin, know_rate, paid_in, several
from tests.activities.referral_acts import ReferralActs
from tests.builders import NOW, chargeback
from tests.courier.steps import pending_signals
from tests.state import violated_invariants


async def shown_holds(acts: ReferralActs) -> tuple[HoldView, ...]:
    async with acts.database.reading() as session:
        shown = await find_referral(session, acts.row.id)
    assert shown is not None
    return shown.holds


async def test_a_referral_is_told_of_a_deposit_without_a_rate_so_that_its_rate_wakes_it(
    database: Database,
) -> None:
    acts = await begin(database, several("MXN"), MXN=100_000)
    before = len(await pending_signals(database, acts.row))
    paid = paid_in(acts, 50_000, "MXN")
    await acts.receives(paid)
    assert len(await pending_signals(database, acts.row)) == before + 1
    assert await acts.wake() is Stage.SIGNED_UP
    (hold,) = await shown_holds(acts)
    assert (hold.reason, hold.detail, hold.until) == (HoldReason.NO_RATE, ("MXN",), None)

    await acts.receives(chargeback(paid))
    assert len(await pending_signals(database, acts.row)) == before + 2
    assert await acts.wake() is Stage.SIGNED_UP
    assert await acts.open_hold_reasons() == set()
    assert await shown_holds(acts) == ()


async def test_a_rate_wakes_a_referral_whose_deposit_no_act_looked_at(database: Database) -> None:
    acts = await begin(database, several("BRL"), BRL=100_000)
    await acts.receives(paid_in(acts, 50_000, "BRL"))
    await know_rate(database, "BRL", "5", days=-1)
    await know_rate(database, "ZAR", "18")
    assert await looks(acts) == 0

    await know_rate(database, "BRL", "5.4")
    assert await looks(acts) == 1
    assert await acts.wake() is Stage.REWARDED
    assert await violated_invariants(database) == {}


async def test_a_rate_wakes_nobody_whose_invitation_knew_another(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    await know_rate(fresh_database, "CLP", "950", days=2)
    acts = await begin(fresh_database, several("CLP"), CLP=100_000)
    await acts.receives(paid_in(acts, 1, "CLP"))
    async with fresh_superuser.transaction() as session:
        row = await session.get_one(ReferralRow, acts.row.id)
        row.invited_at = NOW + 3650 * DAY
    await know_rate(fresh_database, "CLP", "950")
    assert await looks(acts) == 0
