"""Lives that end before anything was earned."""

from datetime import timedelta

import pytest

from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from tests import state
from tests.builders import TERMS, unique
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.world import World


async def test_expires_when_nobody_signs_up(world: World) -> None:
    life = await invite(world)

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.stages() == [Stage.INVITED, Stage.EXPIRED]
    assert await state.reason(world.database, life.row.id) == "no signup in time"


async def test_expires_when_the_friend_never_deposits(world: World) -> None:
    life = await invite(world)
    await life.signs_up()

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.stages() == [Stage.INVITED, Stage.SIGNED_UP, Stage.EXPIRED]


async def test_expires_when_every_deposit_was_too_small(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.deposits(999)
    await life.deposits(999)

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.referrer_balances() == Balances()


async def test_expires_when_the_deposit_came_after_its_window(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    late = life.began_at + TERMS.deposit_window + timedelta(seconds=1)
    await life.deposits(occurred_at=late)

    assert await life.lives_on() is Stage.EXPIRED


@pytest.mark.parametrize("kind", [TakeBack.CHARGEBACK, TakeBack.REFUND])
async def test_a_chargeback_that_arrives_before_the_signup_earns_nothing(
    world: World, kind: TakeBack
) -> None:
    life = await invite(world)
    deposit = await life.deposits()
    await life.takes_back(deposit, kind)
    await life.signs_up()

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.referrer_balances() == Balances()


async def test_a_later_deposit_earns_it_when_the_first_was_taken_back(world: World) -> None:
    life = await invite(world)
    first = await life.deposits()
    await life.takes_back(first)
    await life.signs_up()
    second = await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert (await life.stored_row()).qualified_by == second.event_id


async def test_is_lost_when_the_visitor_signs_up_through_another_code(world: World) -> None:
    visitor = unique("visitor")
    winner, loser = await invite(world, visitor=visitor), await invite(world, visitor=visitor)
    await winner.signs_up()

    assert await loser.ends() is Stage.LOST
    assert await loser.stages() == [Stage.INVITED, Stage.LOST]
    assert (await winner.stored_row()).stage is Stage.SIGNED_UP


async def test_somebody_who_refers_themselves_is_rejected(world: World) -> None:
    life = await invite(world)
    life.referee_id = life.row.referrer_id
    await life.signs_up()
    await life.deposits()

    assert await life.ends() is Stage.REJECTED
    assert await state.reason(world.database, life.row.id) == "fraud: same_player"
    assert await life.referrer_balances() == Balances()


async def test_a_signup_that_is_not_routed_yet_keeps_the_invitation_open(world: World) -> None:
    life = await invite(world)
    signup = life.signup()
    await life.records(signup)
    await life.skips_time(TERMS.signup_window + TERMS.lateness_grace + timedelta(seconds=1))
    await life.acted("expire_referral")
    assert (await life.stored_row()).stage is Stage.INVITED

    await life.routes()
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)
