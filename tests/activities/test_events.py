"""Events that acts write: complete, in order, and as their published schema says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from db.engine import Database
from domain.intake.facts import Deposit, TakeBack
from domain.lifecycle.referral import Stage
from messaging.events import EventOut, ReferralEvent, RewardEvent
from referrals.ledger.spending import spend
from tests.activities.queues import a_queue
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.builders import NOW, TERMS, chargeback, deposit, usd
from tests.events import events_of


async def test_a_credit_tells_both_rewards_after_the_qualification(database: Database) -> None:
    acts = await sign_up(database, terms=replace(TERMS, referee_reward=usd(500)))
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()

    *_, qualified, granted = await events_of(database, acts.row.id)
    assert qualified.type == "ReferralQualified"
    assert isinstance(granted, RewardEvent)
    assert granted.type == "RewardGranted"
    assert granted.campaign_version == 1
    assert {
        (reward.reward_type, reward.player_id, reward.amount.minor, reward.status)
        for reward in granted.rewards
    } == {
        ("referrer", acts.row.referrer_id, 1000, "ISSUED"),
        ("referee", acts.referee_id, 500, "ISSUED"),
    }
    assert (granted.owed, granted.recovered, granted.spent) == (None, None, None)


async def test_a_hold_and_a_deferral_come_after_their_qualification_too(
    database: Database,
) -> None:
    held = await sign_up(database, terms=replace(TERMS, hold_period=timedelta(days=7)))
    await held.receives(deposit(held.referee_id))
    await held.credit()
    queue = await a_queue(database, budget=1)
    deferred_id = await queue.qualifies()

    assert await last_types(database, held.row.id) == ["ReferralQualified", "RewardHeld"]
    assert await last_types(database, deferred_id) == ["ReferralQualified", "RewardDeferred"]
    assert await statuses(database, held.row.id) == ["HELD"]
    assert await statuses(database, deferred_id) == ["DEFERRED"]


async def test_a_deferred_reward_that_is_paid_later_has_qualified_once(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=1)
    referral_id = await queue.qualifies()
    await queue.funds(1000)
    await queue.acts_on_wake_ups()

    types = [event.type for event in await events_of(database, referral_id)]
    assert types[-3:] == ["ReferralQualified", "RewardDeferred", "RewardGranted"]


async def test_a_new_attempt_while_held_is_a_qualification_of_its_own(database: Database) -> None:
    acts = await sign_up(database, terms=replace(TERMS, hold_period=timedelta(days=7)))
    first, second = (deposit(acts.referee_id) for _ in range(2))
    await acts.receives(first)
    await acts.credit()
    await acts.receives(second, chargeback(first, TakeBack.REFUND))
    await acts.wake(at=NOW + timedelta(days=1))
    await acts.wake(at=NOW + timedelta(days=2))

    assert await last_types(database, acts.row.id, 3) == [
        "ReferralQualified",
        "RewardHeld",
        "ReferralQualified",
    ]


async def test_a_reversal_tells_what_was_taken_back_and_what_is_owed(database: Database) -> None:
    acts, paid = await a_credited(database)
    async with database.transaction() as session:
        await spend(
            session, player_id=acts.row.referrer_id, amount=usd(400), reference="bet", at=NOW
        )
    await acts.receives(chargeback(paid))
    await acts.wake()

    reversed_ = await last(database, acts.row.id)
    assert reversed_.type == "RewardReversed"
    assert reversed_.reason_code == "deposit_taken_back"
    assert [(r.amount.minor, r.status) for r in reversed_.rewards] == [(1000, "REVERSED")]
    assert reversed_.owed is not None
    assert reversed_.owed.model_dump() == {"minor": 400, "currency": "USD"}
    assert reversed_.spent == reversed_.owed
    assert reversed_.recovered is None


async def test_a_credit_tells_what_it_recovered_of_earlier_debts(database: Database) -> None:
    acts, paid = await a_credited(database)
    async with database.transaction() as session:
        await spend(
            session, player_id=acts.row.referrer_id, amount=usd(400), reference="bet", at=NOW
        )
    await acts.receives(chargeback(paid))
    await acts.wake()
    later = await sign_up(database, referrer_id=acts.row.referrer_id)
    await later.receives(deposit(later.referee_id))
    await later.credit()

    granted = await last(database, later.row.id)
    assert granted.recovered is not None
    assert granted.recovered.model_dump() == {"minor": 400, "currency": "USD"}
    assert [reward.amount.minor for reward in granted.rewards] == [1000]


async def test_a_reinstatement_and_a_settlement_tell_the_reward(database: Database) -> None:
    acts, paid = await a_credited(database)
    await acts.receives(chargeback(paid))
    await acts.wake()
    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON))
    await acts.wake()

    reinstated = await last(database, acts.row.id)
    assert reinstated.type == "RewardReinstated"
    assert [(r.amount.minor, r.status) for r in reinstated.rewards] == [(1000, "ISSUED")]


async def test_a_rejected_referral_tells_that_it_has_no_reward_any_more(
    database: Database,
) -> None:
    acts = await sign_up(database, terms=replace(TERMS, hold_period=timedelta(days=7)))
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    await acts.receives(chargeback(paid, TakeBack.REFUND))
    assert await acts.wake() is Stage.VOIDED

    voided = await last(database, acts.row.id)
    assert [(r.amount.minor, r.status) for r in voided.rewards] == [(1000, "VOID")]


async def test_every_event_of_a_referral_names_its_campaigns_version(database: Database) -> None:
    acts, _ = await a_credited(database)

    events = await events_of(database, acts.row.id)
    versions = {event.campaign_version for event in events if isinstance(event, ReferralEvent)}
    assert versions == {1}
    assert {event.schema_version for event in events} == {2}


async def a_credited(database: Database) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.credit()
    return acts, paid


async def last(database: Database, referral_id: UUID) -> RewardEvent:
    event = (await events_of(database, referral_id))[-1]
    assert isinstance(event, RewardEvent)
    return event


async def last_types(database: Database, referral_id: UUID, count: int = 2) -> Sequence[str]:
    events: Sequence[EventOut] = await events_of(database, referral_id)
    return [event.type for event in events[-count:]]


async def statuses(database: Database, referral_id: UUID) -> Sequence[str]:
    return [reward.status for reward in (await last(database, referral_id)).rewards]
