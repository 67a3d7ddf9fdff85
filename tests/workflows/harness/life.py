"""Lives of referrals: the real workflow, acts and database, and facts carried by the courier."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError

from courier.route_player import route_player
from courier.temporal_sender import TemporalTarget, start_referral
from db.tables import ReferralRow
from domain.campaigns.terms import Terms
from domain.intake.facts import Chargeback, Deposit, Fact, FactKind, Signup, TakeBack
from domain.lifecycle.referral import Stage
from domain.money import Money
from referrals.intake import facts
from referrals.lifecycle import deliveries
from referrals.lifecycle.stages import terms_of, workflow_input_of
from tests import builders, state
from tests.builders import (
    TERMS,
    TOKENS,
    Offer,
    a_code,
    an_invitation,
    an_offer,
    delivery_of_invitation,
)
from tests.state import Balances
from tests.workflows.harness.world import World
from workflows.client import workflow_id
from workflows.referral.workflow import ReferralWorkflow

PATIENCE_S: Final = 60.0
FOREVER: Final = timedelta(days=2000)
F = TypeVar("F", bound=Fact)


@dataclass(slots=True, eq=False)
class Life:
    """One referral, and what happens to it."""

    world: World
    row: ReferralRow
    began_at: datetime
    referee_id: str = field(default_factory=builders.a_player_id)

    @property
    def id(self) -> str:
        return workflow_id(self.row.id)

    @property
    def handle(self) -> WorkflowHandle[ReferralWorkflow, Stage]:
        """Return the handle of the newest run."""
        return self.world.env.client.get_workflow_handle_for(ReferralWorkflow.run, self.id)

    def signup(self, **fields: object) -> Signup:
        expires_at = self.row.invited_at + terms_of(self.row).signup_window
        token = TOKENS.issue(self.row.id, expires_at=expires_at)
        fields = {"referral_token": token, **fields}
        return builders.signup(self.referee_id, at=self.began_at, **fields)

    def deposit(self, minor: int = 1000, **fields: object) -> Deposit:
        return builders.deposit(self.referee_id, minor=minor, at=self.began_at, **fields)

    async def signs_up(self, **fields: object) -> Signup:
        return await self.receives(self.signup(**fields))

    async def deposits(self, minor: int = 1000, **fields: object) -> Deposit:
        return await self.receives(self.deposit(minor, **fields))

    async def takes_back(
        self,
        deposit: Deposit,
        kind: TakeBack = TakeBack.CHARGEBACK,
        *,
        amount: Money | None = None,
    ) -> Chargeback:
        return await self.receives(builders.chargeback(deposit, kind, amount=amount))

    async def receives(self, fact: F, player_id: str | None = None) -> F:
        """Record, route and carry facts as if they came over HTTP."""
        await self.records(fact, player_id)
        await self.routes(player_id)
        return fact

    async def records(self, fact: Fact, player_id: str | None = None) -> None:
        async with self.world.database.transaction() as session:
            await facts.record_fact(
                session, fact, player_id=player_id or self.referee_id, door="http"
            )

    async def routes(self, player_id: str | None = None) -> None:
        player_id = player_id or self.referee_id
        async with self.world.database.transaction() as session:
            await route_player(session, player_id, tokens=TOKENS, now=await self.now())
        await self.world.carry()

    async def signals(self, signal: str, *arguments: object) -> None:
        """Signal the workflow directly, as another service may."""
        await self.handle.signal(signal, args=arguments)

    async def restarts(self) -> None:
        """Start the workflow from its standing in Postgres, as after the loss of a cluster."""
        with self.world.env.with_time_skipping_disabled():
            target = TemporalTarget(self.world.env.client, self.world.task_queue)
            await start_referral(target, workflow_input_of(await self.stored_row()))

    async def now(self) -> datetime:
        """Return the time of the workflow's clock, the real one while none was skipped."""
        try:
            return await self.world.env.get_current_time(self.handle)
        except RPCError:
            return datetime.now(UTC)

    async def skips_time(self, time: timedelta) -> None:
        """Skip time, at most until the workflow ends."""
        async with asyncio.timeout(PATIENCE_S):
            await self.world.env.fast_forward(self.handle, time)

    async def lives_on(self) -> Stage:
        """Skip time to the end of the workflow and return its final stage."""
        with suppress(RPCError):
            await self.skips_time(FOREVER)
        return await self.ends()

    async def ends(self) -> Stage:
        async with asyncio.timeout(PATIENCE_S):
            return await self.handle.result()

    async def reaches(self, stage: Stage) -> None:
        """Wait for the act that enters the stage."""
        async with asyncio.timeout(PATIENCE_S):
            seen = len(self.world.hooks.acted)
            while (await self.stored_row()).stage is not stage:
                await self.world.hooks.wait_for_next_act(after=seen)
                seen = len(self.world.hooks.acted)

    async def acted(self, activity: str, times: int = 1) -> None:
        """Wait until an act was done `times` times."""
        hooks = self.world.hooks
        async with asyncio.timeout(PATIENCE_S):
            while hooks.acted.count((self.id, activity)) < times:
                await hooks.wait_for_next_act(after=len(hooks.acted))

    async def stored_row(self) -> ReferralRow:
        return await state.referral(self.world.database, self.row.id)

    async def referrer_balances(self) -> Balances:
        return await state.player_balances(self.world.database, self.row.referrer_id)

    async def referee_balances(self) -> Balances:
        return await state.player_balances(self.world.database, self.referee_id)

    async def stages(self) -> list[Stage]:
        return await state.stages(self.world.database, self.row.id)

    async def known_deposits(self) -> list[Deposit]:
        async with self.world.database.reading() as session:
            known = await facts.facts_of_player(session, self.referee_id, FactKind.DEPOSIT)
        return [fact for fact in known if isinstance(fact, Deposit)]

    async def history(self) -> WorkflowHistory:
        return await self.handle.fetch_history()


async def invite(
    world: World,
    offer: Offer | None = None,
    *,
    terms: Terms = TERMS,
    visitor: str | None = None,
    referrer_id: str | None = None,
) -> Life:
    """Follow a code now, and let the courier start the workflow."""
    now = datetime.now(UTC)
    async with world.database.transaction() as session:
        offer = offer or await an_offer(session, terms=terms)
        code = await a_code(session, offer, player_id=referrer_id)
        row = await an_invitation(session, offer, code=code, invited_at=now, visitor=visitor)
        await deliveries.enqueue(session, row.id, delivery_of_invitation(row.id))
    await world.carry()
    return Life(world, row, now)
