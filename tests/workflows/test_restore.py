"""A restore in the runbook's order: the callers' replay, the courier, the worker, `rebuild`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from courier.carrier import Carrier
from courier.rebuild import rebuild
from courier.router import Router
from courier.temporal_sender import TemporalTarget
from db.engine import Database
from db.tables import ReferralRow
from domain.campaigns.terms import Terms
from domain.intake.facts import Deposit, Fact
from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage
from referrals.intake import facts
from runtime.settings import Settings
from tests import state
from tests.activities.referral_acts import acts_on
from tests.builders import (
    TERMS,
    TOKENS,
    a_bound_referral,
    an_invitation,
    an_offer,
    chargeback,
    deposit,
    signup,
    unique,
)
from tests.workflows.harness.life import Life
from tests.workflows.harness.world import running_world

DAY: Final = timedelta(days=1)
AGE: Final = 60 * DAY
"""Every window of the terms has closed since."""
SHORT: Final = replace(TERMS, hold_period=7 * DAY, chargeback_window=20 * DAY)
S = Stage


@dataclass(slots=True)
class Restored:
    """A database as the backup has it, and what the callers have reported since."""

    database: Database
    began: datetime
    lost: list[Fact]

    async def signed_up(self, terms: Terms = TERMS) -> ReferralRow:
        async with self.database.transaction() as session:
            offer = await an_offer(session, terms=terms)
            return await a_bound_referral(session, offer, at=self.began)

    async def invited(self) -> ReferralRow:
        async with self.database.transaction() as session:
            return await an_invitation(session, await an_offer(session), invited_at=self.began)

    async def qualified(self, terms: Terms) -> tuple[ReferralRow, Deposit]:
        row = await self.signed_up(terms)
        acts, paid = acts_on(self.database, row), deposit(row.referee_id, at=self.began + DAY)
        await acts.receives(paid)
        await acts.wake(at=self.began + DAY)
        return row, paid

    async def callers_replay(self) -> None:
        async with self.database.transaction() as session:
            for fact in self.lost:
                player_id = str(getattr(fact, "player_id", ""))
                await facts.record_fact(session, fact, player_id=player_id, door="http")

    async def courier_routes(self, target: TemporalTarget) -> None:
        """Route and carry until nothing is left; what is started waits for a worker."""

        async def connect() -> Client:
            return target.client

        router = Router(self.database, tokens=TOKENS)
        while await router.route():
            pass
        carrier = Carrier(
            self.database, connect=connect, task_queue=target.task_queue, patience_s=60.0
        )
        while await carrier.carry():
            pass


@pytest.fixture
async def restored(fresh_database: Database) -> AsyncIterator[Restored]:
    yield Restored(fresh_database, datetime.now(UTC) - AGE, [])
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_was_lost_is_played_again_and_nothing_expires_or_is_released_meanwhile(
    restored: Restored, temporal_env: WorkflowEnvironment, settings: Settings
) -> None:
    began, lost = restored.began, restored.lost
    invited, waiting, silent = (
        await restored.invited(),
        await restored.signed_up(),
        await restored.signed_up(),
    )
    held, held_deposit = await restored.qualified(SHORT)
    credited, credited_deposit = await restored.qualified(replace(SHORT, hold_period=timedelta(0)))
    token = TOKENS.issue(invited.id, expires_at=began + TERMS.signup_window)
    arrival = signup(at=began + DAY, referral_token=token)
    lost += [arrival, deposit(arrival.player_id, at=began + 2 * DAY)]
    lost += [deposit(waiting.referee_id, at=began + 2 * DAY)]
    lost += [chargeback(paid, at=began + 3 * DAY) for paid in (held_deposit, credited_deposit)]

    await restored.callers_replay()
    with temporal_env.with_time_skipping_disabled():
        target = TemporalTarget(temporal_env.client, unique("queue"))
        await restored.courier_routes(target)
        async with running_world(
            temporal_env, restored.database, settings, task_queue=target.task_queue
        ) as world:
            assert (await rebuild(restored.database, target, now=datetime.now(UTC))).failed == 0

            for row, stages in (
                (invited, [S.INVITED, S.SIGNED_UP, S.REWARDED]),
                (waiting, [S.INVITED, S.SIGNED_UP, S.REWARDED]),
                (silent, [S.INVITED, S.SIGNED_UP, S.EXPIRED]),
                (held, [S.INVITED, S.SIGNED_UP, S.HELD, S.VOIDED]),
                (credited, [S.INVITED, S.SIGNED_UP, S.REWARDED, S.REVERSED]),
            ):
                await Life(world, row, began).reaches(stages[-1])
                assert await state.stages(restored.database, row.id) == stages
    assert Movement.RELEASE not in await state.movements(restored.database, held.id)
