"""The notifier: each event's messages once, in the player's language, and none that may not be."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from courier.notifier import Notifier
from db.engine import Database
from domain.lifecycle.referral import Stage
from messaging.player_messages import Notification
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import (
    chargeback,
    deposit,
    signup,
    usd,
)
from tests.courier.inbox_of_players import (
    BOTH,
    count_of,
    credited,
    kinds_to,
    messages_to,
    notify,
    prefer,
)


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
        "bonus": None,
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
    for secret in (acts.referee_id, "9876", "9,876", "NJ", acts.row.code):
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
    to_referee = await messages_to(fresh_database, acts.referee_id)
    held = to_referee[0]
    assert all(Notification.model_validate(message) for message in to_referee)
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


async def test_what_happened_before_its_first_start_is_told(fresh_database: Database) -> None:
    """Read from the migration on: a courier may start later than the api."""
    acts = await credited(fresh_database)
    await notify(fresh_database)
    assert await kinds_to(fresh_database, acts.referee_id) == ["reward_granted"]


@pytest.mark.parametrize("change", ["- 'reason_code'", "- 'rewards'"])
async def test_an_event_of_release_0_2_is_told(
    fresh_database: Database, notifier: Notifier, change: str
) -> None:
    """Leave out what that release did not write."""
    acts = await credited(fresh_database)
    await write_again(fresh_database, acts, "RewardGranted", change)
    await notify(fresh_database, notifier)

    granted = ["reward_granted"] * 2
    assert await kinds_to(fresh_database, acts.referee_id) == granted


async def test_an_event_that_cannot_be_read_holds_up_no_other(
    fresh_database: Database, notifier: Notifier
) -> None:
    acts = await credited(fresh_database)
    await write_again(fresh_database, acts, "RewardGranted", "- 'referrer_id'")
    later = await credited(fresh_database)
    await notify(fresh_database, notifier)

    for referee in (acts.referee_id, later.referee_id):
        assert await kinds_to(fresh_database, referee) == ["reward_granted"]


async def write_again(database: Database, acts: ReferralActs, type_: str, change: str) -> None:
    """Write another event like one of a referral, with a changed payload."""
    copied = text(f"""
        insert into outbox (id, aggregatetype, aggregateid, type, payload)
        select gen_random_uuid(), aggregatetype, aggregateid, type, payload {change}
          from outbox where aggregateid = :referral_id and type = :type
    """)  # noqa: S608 - the change is one of this file's
    async with database.transaction() as session:
        await session.execute(copied, {"referral_id": str(acts.row.id), "type": type_})
