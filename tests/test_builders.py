"""Builders, whose rows the database must accept."""

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests import builders


async def test_a_bound_referral_has_signed_up(database: Database) -> None:
    async with database.transaction() as session:
        referral = await builders.a_bound_referral(session)
    assert referral.stage is Stage.SIGNED_UP
    assert referral.referee_id is not None


async def test_an_invitation_waits_for_a_signup(database: Database) -> None:
    async with database.transaction() as session:
        referral = await builders.an_invitation(session)
    assert referral.stage is Stage.INVITED
