"""Facts that a later release wrote: they hold up what they are about, and nothing else."""

from datetime import timedelta
from typing import cast

from sqlalchemy import text
from structlog.testing import capture_logs
from temporalio.testing import WorkflowEnvironment

from courier.carrier import Carrier
from courier.notifier import Notifier
from courier.rebuild import rebuild
from courier.temporal_sender import TemporalTarget
from courier.verifier import verify_and_log
from courier.work_loop import WorkLoop
from db.engine import Database
from domain.intake.facts import FactKind, PlayerStatus
from domain.lifecycle.referral import Stage
from referrals.intake.facts import fact_of
from referrals.lifecycle import deliveries
from tests.activities.referral_acts import sign_up
from tests.builders import NOW, deposit, status_change, unique
from tests.courier.inbox_of_players import BOTH, attempts_to, credited, kinds_to, notify
from tests.courier.steps import (
    START,
    bind_referral,
    connecting_to,
    deliveries_to,
    make_unreadable,
    pending_signals,
    received_signals,
    record_and_route,
    set_stage,
)


async def test_a_referral_that_cannot_be_read_is_left_to_another_release(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    row, other = [await bind_referral(fresh_database) for _ in range(2)]
    async with fresh_superuser.transaction() as session:
        await session.execute(text("alter table referrals drop constraint ck_referrals_stage"))
        await session.execute(text("set local session_replication_role = replica"))
        later = text("update referrals set stage = 'OF_A_LATER_RELEASE' where id = :id")
        await session.execute(later, {"id": row.id})

    async with fresh_database.transaction() as session:
        leased = await deliveries.lease(session, limit=64, lasting=timedelta(seconds=10))

    assert {delivery.referral.referral_id for delivery in leased} == {other.id}


async def test_a_delivery_that_cannot_be_read_is_kept_and_the_others_go_on(
    fresh_database: Database, fresh_superuser: Database, temporal_env: WorkflowEnvironment
) -> None:
    row, other = [await bind_referral(fresh_database) for _ in range(2)]
    assert row.referee_id
    paid = deposit(row.referee_id)
    verified = status_change(
        row.referee_id, PlayerStatus.VERIFIED, at=paid.occurred_at + timedelta(seconds=1)
    )
    await record_and_route(fresh_database, paid, verified, player_id=row.referee_id)
    await make_unreadable(fresh_superuser, row.referee_id, FactKind.PLAYER)
    carrier = Carrier(
        fresh_database,
        connect=connecting_to(temporal_env.client),
        task_queue=unique("queue"),
        patience_s=60.0,
    )

    with capture_logs() as logged:
        await carrier.carry()

    assert await received_signals(temporal_env.client, other) == [START, "sign_up"]
    assert await received_signals(temporal_env.client, row) == [START, "sign_up", "look"]
    assert len(await pending_signals(fresh_database, row)) == 1
    kept = (await deliveries_to(fresh_database, row))[-1]
    assert (kept.kind, kept.acknowledged_at, kept.attempts) == (FactKind.PLAYER, None, 1)
    (line,) = [line for line in logged if line["event"] == "delivery_unreadable"]
    assert (line["referral_id"], line["delivery_id"]) == (str(row.id), kept.id)
    assert line["error"].startswith("ValidationError at ")
    assert "clawback" not in str(logged)


async def test_a_players_fact_that_cannot_be_read_holds_up_only_messages_to_that_player(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts = await credited(fresh_database)
    other = await sign_up(fresh_database, terms=BOTH)
    await make_unreadable(fresh_superuser, acts.referee_id, FactKind.SIGNUP)

    await notify(fresh_database, Notifier(fresh_database))

    assert await kinds_to(fresh_database, acts.referee_id) == []
    failed = ("failed", "UnreadablePlayerError")
    assert await attempts_to(fresh_database, acts.referee_id) == [failed]
    assert "reward_granted" in await kinds_to(fresh_database, acts.row.referrer_id)
    assert await kinds_to(fresh_database, other.row.referrer_id) == ["friend_signed_up"]


async def test_a_rebuild_names_referrals_that_it_cannot_judge_and_starts_the_others(
    fresh_database: Database, fresh_superuser: Database, temporal_env: WorkflowEnvironment
) -> None:
    waiting, damaged = [await bind_referral(fresh_database) for _ in range(2)]
    assert damaged.referee_id
    paid = deposit(damaged.referee_id)
    await record_and_route(fresh_database, paid, player_id=damaged.referee_id)
    await set_stage(fresh_database, damaged, Stage.EXPIRED)
    await make_unreadable(fresh_superuser, damaged.referee_id, FactKind.DEPOSIT)
    target = TemporalTarget(temporal_env.client, unique("queue"))

    with capture_logs() as logged:
        assert (await rebuild(fresh_database, target, now=NOW)).failed == 1

    assert await received_signals(temporal_env.client, waiting) == [START, "look"]
    (line,) = [line for line in logged if line["event"] == "referral_not_reopened"]
    assert line["referral_id"] == str(damaged.id)
    assert "stored-secret" not in str(logged)


class BrokenDatabase:
    def reading(self) -> None:
        raise ValueError("stored-secret")


async def test_the_verifier_outlives_a_run_that_fails() -> None:
    with capture_logs() as logged:
        await verify_and_log(cast("Database", BrokenDatabase()))

    assert [(line["event"], line["reason"]) for line in logged] == [
        ("verification_failed", "ValueError")
    ]


async def test_a_loop_that_waits_logs_where_a_fact_is_at_fault_and_not_what_is_stored() -> None:
    async def read() -> bool:
        loop.stop()
        fact_of(FactKind.DEPOSIT, {"deposit_id": ["stored-secret"]})
        return False

    loop = WorkLoop("reading", read)
    with capture_logs() as logged:
        await loop.run()

    (line,) = logged
    assert line["event"] == "courier_waits"
    assert line["error"].startswith("ValidationError at ")
    assert "deposit_id" in line["error"]
    assert "stored-secret" not in str(line)


async def test_a_loop_that_waits_logs_each_kind_of_fault_once() -> None:
    faults = [OSError(), OSError(), KeyError("stored-secret"), OSError(), KeyError("another")]

    async def read() -> bool:
        if faults:
            raise faults.pop(0)
        loop.stop()
        return False

    loop = WorkLoop("reading", read)
    with capture_logs() as logged:
        await loop.run()

    assert [(line["event"], line.get("error")) for line in logged] == [
        ("courier_waits", "OSError"),
        ("courier_waits", "KeyError"),
        ("courier_recovered", None),
    ]
