"""The notifier: each event's messages once, in the player's language, and none that may not be."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

import pytest
from sqlalchemy import text

from courier.notifier import Notifier
from db.engine import Database
from domain.intake.facts import PlayerStatus
from domain.lifecycle.referral import Stage
from domain.money import Money
from tests import state
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import (
    NOW,
    TERMS,
    a_code,
    a_player_id,
    chargeback,
    deposit,
    signup,
    status_change,
    usd,
)
from tests.courier.inbox_of_players import (
    attempts_to,
    count_of,
    kinds_to,
    let_time_pass,
    messages_to,
    notify,
    prefer,
)
from tests.courier.steps import record_and_route

BOTH: Final = replace(TERMS, referee_reward=usd(500))
ALL_DAY: Final = {"quiet_from": time(0), "quiet_to": time(23, 59)}


@pytest.fixture
async def notifier(fresh_database: Database) -> Notifier:
    """Return one that has begun: it tells nothing of what was before."""
    return await notify(fresh_database)


async def credited(database: Database, *, amount: Money | None = None) -> ReferralActs:
    terms = replace(BOTH, referrer_reward=amount) if amount else BOTH
    acts = await sign_up(database, terms=terms)
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.REWARDED
    return acts


async def test_tells_each_player_of_a_grant_in_their_own_language(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    referrer, referee = acts.row.referrer_id, acts.referee_id
    await prefer(fresh_database, referrer, locale="de-AT")
    await notify(fresh_database, notifier)

    _, granted = await messages_to(fresh_database, referrer)
    assert granted.pop("notification_id")
    assert datetime.fromisoformat(granted.pop("created_at")) <= datetime.now(UTC)
    assert granted == {
        "player_id": referrer,
        "referral_id": str(acts.row.id),
        "kind": "reward_granted",
        "locale": "de-AT",
        "subject": "Deine Prämie von $\N{NO-BREAK SPACE}10,00 wurde gutgeschrieben",
        "body": "Deine Prämie von $\N{NO-BREAK SPACE}10,00 wurde deinem Guthaben gutgeschrieben.",
        "amount": {"minor": 1000, "currency": "USD"},
    }
    (to_referee,) = await messages_to(fresh_database, referee)
    assert (to_referee["locale"], to_referee["amount"]["minor"]) == ("en", 500)


async def test_the_locale_of_the_signup_counts_where_none_is_preferred(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    referrer = acts.row.referrer_id
    await acts.receives(signup(referrer, locale="pt_BR"), player_id=referrer)
    await notify(fresh_database, notifier)

    assert {m["locale"] for m in await messages_to(fresh_database, referrer)} == {"pt-BR"}


async def test_a_message_says_nothing_about_the_friend(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await sign_up(fresh_database, terms=BOTH)
    await acts.receives(deposit(acts.referee_id, minor=987_654))
    await acts.credit()
    await notify(fresh_database, notifier)

    told = str(await messages_to(fresh_database, acts.row.referrer_id))
    assert "reward_granted" in told
    for secret in (acts.referee_id, "987", "NJ", acts.row.code):
        assert secret not in told


async def test_tells_of_every_stage_in_order(fresh_database: Database, notifier: Notifier) -> None:
    acts = await sign_up(fresh_database, terms=replace(BOTH, hold_period=timedelta(hours=1)))
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    assert await acts.wake(at=LATER + timedelta(hours=2)) is Stage.REWARDED
    await acts.receives(chargeback(paid))
    assert await acts.wake(at=LATER + timedelta(hours=3)) is Stage.REVERSED
    await notify(fresh_database, notifier)

    rewards = ["reward_held", "reward_granted", "reward_reversed"]
    assert await kinds_to(fresh_database, acts.row.referrer_id) == ["friend_signed_up", *rewards]
    assert await kinds_to(fresh_database, acts.referee_id) == rewards
    held = (await messages_to(fresh_database, acts.referee_id))[0]
    assert "is on hold until March 1, 2026, 3:00\N{NARROW NO-BREAK SPACE}PM UTC" in held["body"]


async def test_a_deferred_reward_is_told_with_its_amount_and_date(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await sign_up(fresh_database, terms=BOTH, budget=usd(1))
    await acts.receives(deposit(acts.referee_id))
    assert (await acts.credit()).stage is Stage.DEFERRED
    await notify(fresh_database, notifier)

    deferred = (await messages_to(fresh_database, acts.row.referrer_id))[-1]
    assert (deferred["kind"], deferred["amount"]["minor"]) == ("reward_deferred", 1000)
    assert "$10.00 is postponed. It will be looked at again by March 31, 2026" in deferred["body"]


async def test_the_same_events_read_again_tell_nothing_twice(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    await notify(fresh_database, notifier)
    async with fresh_database.transaction() as session:
        await session.execute(text("update outbox_cursors set xid = '0', seq = 0"))
    await notify(fresh_database, notifier)

    assert await kinds_to(fresh_database, acts.row.referrer_id) == [
        "friend_signed_up",
        "reward_granted",
    ]


async def test_only_one_of_two_couriers_notifies_at_a_time(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    other = Notifier(fresh_database)
    assert await other.notify() is False
    assert await count_of(fresh_database, acts.row.referrer_id) == 0

    await notifier.release()
    await asyncio.gather(*(each.notify() for each in (notifier, other, notifier, other)))
    await notify(fresh_database, other)
    assert await kinds_to(fresh_database, acts.referee_id) == ["reward_granted"]


async def test_what_happened_before_it_first_ran_is_told_to_nobody(
    fresh_database: Database,
) -> None:
    acts = await credited(fresh_database)
    await notify(fresh_database)
    assert await count_of(fresh_database, acts.row.referrer_id) == 0


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
        ("suppressed", "not_eligible"),
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
        ("suppressed", "not_eligible"),
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
    fresh_database: Database, fresh_superuser: Database, notifier: Notifier
) -> None:
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


async def test_a_signup_that_is_heard_of_twice_is_told_once(
    fresh_database: Database, notifier: Notifier
) -> None:
    """Re-open a referral, which is SIGNED_UP once more."""
    acts = await sign_up(fresh_database)
    expired_at = NOW + timedelta(minutes=1)
    await acts.referrals.expire_referral(await acts.act_request(at=expired_at))
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
