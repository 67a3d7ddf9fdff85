"""Messages that are not sent: to those who may or want to have none, and none before its time."""

from datetime import time
from typing import Final

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from courier.notifier import Notifier
from db.engine import Database
from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from tests import state
from tests.activities.referral_acts import sign_up
from tests.builders import (
    a_code,
    a_player_id,
    deposit,
    signup,
    status_change,
)
from tests.courier.inbox_of_players import (
    BOTH,
    attempts_to,
    count_of,
    credited,
    kinds_to,
    let_time_pass,
    notify,
    prefer,
)
from tests.courier.steps import record_and_route

ALL_DAY: Final = {"quiet_from": time(0), "quiet_to": time(23, 59)}


@pytest.mark.parametrize("status", [PlayerStatus.SELF_EXCLUDED, PlayerStatus.CLOSED])
async def test_an_excluded_player_is_told_nothing_from_the_exclusion_on(
    fresh_database: Database, notifier: Notifier, status: PlayerStatus
) -> None:
    acts = await sign_up(fresh_database, terms=BOTH)
    await notify(fresh_database, notifier)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.REWARDED
    gone = status_change(acts.row.referrer_id, status)
    await acts.receives(gone, player_id=acts.row.referrer_id)
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.row.referrer_id) == ["friend_signed_up"]
    assert await attempts_to(fresh_database, acts.row.referrer_id) == [
        ("handed_on", None),
        ("suppressed", "excluded"),
    ]
    assert await kinds_to(fresh_database, acts.referee_id) == ["reward_granted"]


async def test_a_message_that_waits_is_dropped_at_an_exclusion(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    await prefer(fresh_database, acts.referee_id, **ALL_DAY)
    await notify(fresh_database, notifier)
    await acts.receives(status_change(acts.referee_id))
    await let_time_pass(fresh_database, acts.referee_id)
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.referee_id) == []
    assert await attempts_to(fresh_database, acts.referee_id) == [
        ("postponed", None),
        ("suppressed", "excluded"),
    ]


async def test_a_player_who_wants_none_gets_none(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    await prefer(fresh_database, acts.referee_id, wants_messages=False)
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.referee_id) == []
    assert await attempts_to(fresh_database, acts.referee_id) == [("suppressed", "opted_out")]


async def test_quiet_hours_postpone_and_keep_the_order(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await sign_up(fresh_database, terms=BOTH)
    referrer = acts.row.referrer_id
    await prefer(fresh_database, referrer, time_zone="Asia/Tokyo", **ALL_DAY)
    await notify(fresh_database, notifier)
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()
    await notify(fresh_database, notifier)
    assert await kinds_to(fresh_database, referrer) == []
    assert await attempts_to(fresh_database, referrer) == [("postponed", None)] * 2

    await prefer(fresh_database, referrer, quiet_from=None, quiet_to=None)
    await notify(fresh_database, notifier)
    assert await kinds_to(fresh_database, referrer) == ["friend_signed_up", "reward_granted"]


async def test_a_message_that_cannot_be_rendered_delays_no_other(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    registry = CollectorRegistry()
    notifier = Notifier(fresh_database, registry=registry)
    broken = (await credited(fresh_database)).referee_id
    await prefer(fresh_database, broken, **ALL_DAY)
    await notify(fresh_database, notifier)
    async with fresh_superuser.transaction() as session:
        unknown = text("""update notifications set message = message || '{"kind": "newer"}'
                           where player_id = :player_id""")
        await session.execute(unknown, {"player_id": broken})
    await let_time_pass(fresh_database, broken)
    other = (await credited(fresh_database)).referee_id
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, other) == ["reward_granted"]
    assert await attempts_to(fresh_database, broken) == [
        ("postponed", None),
        ("failed", "ValidationError"),
    ]
    assert registry.get_sample_value("referrals_notifications_total", {"outcome": "failed"}) == 1


async def test_a_signup_that_is_heard_of_twice_is_told_once(
    fresh_database: Database, notifier: Notifier
) -> None:
    """Re-open a referral, which is SIGNED_UP once more."""
    acts = await sign_up(fresh_database)
    ends_at = (await acts.stored_row()).until
    await acts.referrals.expire_referral(await acts.act_request(at=ends_at))
    await acts.receives(deposit(acts.referee_id))
    await notify(fresh_database, notifier)

    stages = await state.stages(fresh_database, acts.row.id)
    assert stages == [Stage.INVITED, Stage.SIGNED_UP, Stage.EXPIRED, Stage.SIGNED_UP]
    assert await kinds_to(fresh_database, acts.row.referrer_id) == ["friend_signed_up"]
    assert await attempts_to(fresh_database, acts.row.referrer_id) == [
        ("handed_on", None),
        ("suppressed", "told_before"),
    ]


async def test_whoever_refers_themselves_is_told_of_no_friend(
    fresh_database: Database, notifier: Notifier
) -> None:
    player = a_player_id()
    async with fresh_database.transaction() as session:
        code = await a_code(session, player_id=player)
    await record_and_route(fresh_database, signup(player, code=code.code), player_id=player)
    await notify(fresh_database, notifier)

    assert await count_of(fresh_database, player) == 0
