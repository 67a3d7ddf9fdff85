"""Reminders: durable timers of the workflow, each written once, none after what they wait for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from db.tables import NotificationRow
from domain.campaigns.terms import Reminders
from domain.lifecycle.referral import Stage
from tests.builders import TERMS, usd
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.world import World

DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(seconds=5)
REMINDING: Final = replace(
    TERMS,
    referee_reward=usd(500),
    reminders=Reminders(signup_after=3 * DAY, deposit_after=5 * DAY, closing_before=2 * DAY),
)


async def written(life: Life) -> Sequence[tuple[str, str]]:
    """Return the kinds and players of what was written, in its order."""
    query = select(NotificationRow).where(NotificationRow.referral_id == life.row.id)
    async with life.world.database.reading() as session:
        rows = await session.scalars(query.order_by(NotificationRow.seq))
        return [(row.kind.value, row.player_id) for row in rows]


async def test_an_invitation_is_reminded_of_and_expires_at_its_own_time(world: World) -> None:
    life = await invite(world, terms=REMINDING)
    referrer = life.row.referrer_id

    await life.skips_time(3 * DAY + MOMENT)
    await life.acted("expire_referral")
    assert await written(life) == [("signup_reminder", referrer)]
    assert await life.stages() == [Stage.INVITED]

    assert await life.lives_on() is Stage.EXPIRED
    assert await written(life) == [("signup_reminder", referrer), ("window_closing", referrer)]
    assert await life.stages() == [Stage.INVITED, Stage.EXPIRED]
    assert (await life.stored_row()).until >= life.began_at + TERMS.signup_window


async def test_a_signup_is_reminded_of_on_both_sides(world: World) -> None:
    life = await invite(world, terms=REMINDING)
    await life.signs_up()

    assert await life.lives_on() is Stage.EXPIRED
    pair = (life.row.referrer_id, life.referee_id)
    assert await written(life) == [
        (kind, player) for kind in ("deposit_reminder", "window_closing") for player in pair
    ]


async def test_nothing_is_written_of_what_has_arrived(world: World) -> None:
    life = await invite(world, terms=REMINDING)
    await life.skips_time(DAY)
    await life.signs_up()
    await life.skips_time(DAY)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await written(life) == []


async def test_a_reminder_costs_no_reward(world: World) -> None:
    life = await invite(world, terms=REMINDING)
    await life.signs_up()
    await life.skips_time(5 * DAY + MOMENT)
    await life.acted("score_and_credit")
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert len(await written(life)) == 2


async def test_a_restart_reminds_of_nothing_twice(world: World) -> None:
    life = await invite(world, terms=REMINDING)
    await life.skips_time(3 * DAY + MOMENT)
    await life.acted("expire_referral")
    before = (await life.stored_row()).reminded_until
    await life.handle.terminate()
    await life.restarts()

    assert await life.lives_on() is Stage.EXPIRED
    assert before is not None
    assert [kind for kind, _ in await written(life)] == ["signup_reminder", "window_closing"]


async def test_a_referral_without_reminders_has_the_timer_of_its_deadline_alone(
    world: World,
) -> None:
    life = await invite(world)

    assert await life.lives_on() is Stage.EXPIRED
    assert world.hooks.acted.count((life.id, "expire_referral")) == 1
    assert await written(life) == []
