"""The lane of invitations: low priority, so that a crowd of them delays nothing else."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text
from temporalio.testing import WorkflowEnvironment

from courier.carrier import Carrier
from courier.pacing.rate_limiter import RateLimiter
from db.engine import Database
from domain.intake.facts import Signup
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import Lane
from tests.builders import NOW, signup, unique
from tests.courier.steps import (
    START,
    InvitedReferral,
    bind_referral,
    connecting_to,
    invite_by_click,
    pending_signals,
    received_signals,
    record_and_route,
    referral,
    token_of,
)

LASTING: Final = timedelta(seconds=10)
CROWD: Final = 3000
LEASING: Final = """
    explain (format text) select id from deliveries
    where acknowledged_at is null and next_attempt_at <= (select clock_timestamp())
      and ((kind = 'invitation')::int) = 0
    order by next_attempt_at, id limit 64 for update skip locked
"""


def carrier_of_lane(
    database: Database, env: WorkflowEnvironment, lane: Lane, rate_limiter: RateLimiter
) -> Carrier:
    queue = unique("queue")
    return Carrier(
        database,
        patience_s=60.0,
        connect=connecting_to(env.client),
        task_queue=queue,
        lane=lane,
        rate_limiter=rate_limiter,
    )


async def test_each_lane_leases_its_own(fresh_database: Database) -> None:
    invited = [await invite_by_click(fresh_database) for _ in range(3)]
    await bind_referral(fresh_database)

    async with fresh_database.transaction() as session:
        updates = await deliveries.lease(session, limit=64, lasting=LASTING, lane=Lane.UPDATES)
        others = await deliveries.lease(session, limit=64, lasting=LASTING, lane=Lane.INVITATIONS)

    assert [delivery.signal for delivery in updates] == ["sign_up"]
    assert [due.referral.referral_id for due in others] == [row.id for row in invited]


async def test_a_signup_starts_its_workflow_while_its_invitation_still_waits(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await invite_by_click(fresh_database)
    invited = InvitedReferral(row, token_of(row))
    arrival: Signup = signup(at=NOW, referral_token=invited.token)
    await record_and_route(fresh_database, arrival, player_id=arrival.player_id)

    await carrier_of_lane(fresh_database, temporal_env, Lane.UPDATES, RateLimiter(100)).carry()
    before = await received_signals(temporal_env.client, row)
    await carrier_of_lane(fresh_database, temporal_env, Lane.INVITATIONS, RateLimiter(100)).carry()

    assert before == [START, "sign_up"]
    assert await received_signals(temporal_env.client, row) == before
    assert await pending_signals(fresh_database, await referral(fresh_database, invited)) == []


async def test_a_lane_carries_a_limited_batch_and_returns_whether_more_wait(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    rows = [await invite_by_click(fresh_database) for _ in range(3)]
    carrier = carrier_of_lane(fresh_database, temporal_env, Lane.INVITATIONS, RateLimiter(20))

    more = [await carrier.carry() for _ in range(2)]

    assert more == [True, False]
    assert [await received_signals(temporal_env.client, row) for row in rows] == [[START]] * 3


async def test_updates_are_found_by_an_index_behind_a_crowd_of_invitations(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    row = await invite_by_click(fresh_database)
    crowd = """
        insert into deliveries (referral_id, kind, event_id)
        select :row, 'invitation', 'crowd-' || n from generate_series(1, :crowd) n
    """
    async with fresh_superuser.transaction() as session:
        await session.execute(text(crowd), {"row": row.id, "crowd": CROWD})
    async with fresh_superuser.transaction() as session:
        await session.execute(text("analyze deliveries"))
        plan = "\n".join(await session.scalars(text(LEASING)))

    assert "ix_deliveries_lane_due" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan
