"""Deliveries reach Temporal once each, in order, repeated until acknowledged."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from temporalio.testing import WorkflowEnvironment

from courier.carrier import LEASE_DURATION, Carrier
from db.engine import Database
from db.tables import Delivery, ReferralRow
from domain.lifecycle.referral import Stage
from referrals.lifecycle import deliveries
from tests.builders import deposit, signup, unique
from tests.courier.steps import (
    START,
    Connect,
    bind_referral,
    connecting_to,
    deliveries_to,
    invite_by_click,
    invite_twice,
    pending_signals,
    received_signals,
    record_and_route,
    set_stage,
    sign_up,
)
from workflows.client import connect


def carrier_of(database: Database, connect: Connect) -> Carrier:
    return Carrier(database, connect=connect, task_queue=unique("queue"), patience_s=60.0)


async def carry_all(database: Database, env: WorkflowEnvironment) -> None:
    carrier = carrier_of(database, connecting_to(env.client))
    while await carrier.carry():
        pass


async def record_deposit(database: Database, row: ReferralRow) -> None:
    paid = deposit(row.referee_id)
    await record_and_route(database, paid, player_id=paid.player_id)


async def test_an_invitation_starts_its_workflow(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await invite_by_click(fresh_database)

    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == [START]
    assert await pending_signals(fresh_database, row) == []


async def test_an_invitation_that_has_closed_meanwhile_starts_nothing(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await invite_by_click(fresh_database)
    await set_stage(fresh_database, row, Stage.EXPIRED)

    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == []
    assert await pending_signals(fresh_database, row) == []


async def test_facts_are_signalled_in_order_to_a_workflow_that_they_start(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await bind_referral(fresh_database)
    await record_deposit(fresh_database, row)

    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == [START, "sign_up", "look"]


async def test_an_acknowledged_delivery_is_not_carried_again(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await bind_referral(fresh_database)

    await carry_all(fresh_database, temporal_env)
    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == [START, "sign_up"]


async def test_couriers_side_by_side_carry_everything_once(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    rows = [await bind_referral(fresh_database) for _ in range(20)]

    await asyncio.gather(*(carry_all(fresh_database, temporal_env) for _ in range(3)))

    for row in rows:
        assert await received_signals(temporal_env.client, row) == [START, "sign_up"]


async def test_a_lost_referral_is_signalled_only_if_its_workflow_is_open(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    winner, loser = await invite_twice(fresh_database, unique("visitor"))
    open_one = await invite_by_click(fresh_database)
    await carry_all(fresh_database, temporal_env)
    await sign_up(fresh_database, signup(referral_token=winner.token))
    async with fresh_database.transaction() as session:
        await deliveries.enqueue(session, open_one.id, deliveries.of_loss("superseded"))
    await set_stage(fresh_database, open_one, Stage.LOST)

    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, loser.row) == []
    assert await received_signals(temporal_env.client, open_one) == [START, "supersede"]
    assert await pending_signals(fresh_database, loser.row) == []


async def test_an_expired_lease_is_taken_by_another_courier(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await bind_referral(fresh_database)
    async with fresh_database.transaction() as session:
        assert len(await deliveries.lease(session, limit=10, lasting=LEASE_DURATION)) == 1
    async with fresh_database.transaction() as session:
        assert await deliveries.lease(session, limit=10, lasting=LEASE_DURATION) == ()
        await session.execute(
            update(Delivery).values(next_attempt_at=Delivery.next_attempt_at - LEASE_DURATION)
        )

    await carry_all(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == [START, "sign_up"]


async def test_nothing_is_dropped_while_temporal_is_away(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await bind_referral(fresh_database)
    nowhere = carrier_of(fresh_database, lambda: connect("127.0.0.1:9", namespace="default"))

    with pytest.raises(RuntimeError, match="connect"):
        await nowhere.carry()

    (delivery,) = await deliveries_to(fresh_database, row)
    wait = delivery.next_attempt_at - delivery.created_at
    assert (delivery.acknowledged_at, delivery.attempts) == (None, 1)
    assert wait < timedelta(seconds=15)
    async with fresh_database.transaction() as session:
        await deliveries.record_results(session, sent=(), delays_s={delivery.id: 0.0})
    await carry_all(fresh_database, temporal_env)
    assert await received_signals(temporal_env.client, row) == [START, "sign_up"]


async def test_deliveries_without_a_call_do_not_hide_an_outage_of_temporal(
    fresh_database: Database,
) -> None:
    closed = await invite_by_click(fresh_database)
    await set_stage(fresh_database, closed, Stage.EXPIRED)
    row = await bind_referral(fresh_database)
    nowhere = carrier_of(fresh_database, lambda: connect("127.0.0.1:9", namespace="default"))

    with pytest.raises(RuntimeError, match="connect"):
        await nowhere.carry()

    assert await pending_signals(fresh_database, closed) == []
    assert await pending_signals(fresh_database, row) == ["sign_up"]
