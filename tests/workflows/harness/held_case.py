"""Cases of held referrals: the real workflow, activity and database, carried by the courier."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from temporalio.client import Client, WorkflowHandle

from courier.fraud.case_carrier import CaseCarrier
from db.tables import CaseReferral, CaseRow
from domain.fraud.cases import CaseChoice, CaseStatus, SecondPersonLimits
from domain.lifecycle.referral import Stage
from referrals.access.audit import Actor
from referrals.fraud.cases import decisions
from referrals.fraud.cases.claims import CaseOutcome
from referrals.fraud.cases.decisions import CaseDecision
from tests.workflows.harness.life import Life
from tests.workflows.harness.life_steps import hold_for_review
from tests.workflows.harness.world import World
from workflows.case.client import workflow_id
from workflows.case.workflow import CaseWorkflow

REVIEWER: Final = Actor(name="reviewer", request_id="request", reason="looked into it")
LIMITS: Final = SecondPersonLimits.parse("500.00 USD")


@dataclass(frozen=True, slots=True)
class HeldCase:
    """A held referral and the case in which it is judged."""

    life: Life
    id: UUID
    carrier: CaseCarrier

    @property
    def world(self) -> World:
        return self.life.world

    @property
    def handle(self) -> WorkflowHandle[CaseWorkflow, CaseStatus]:
        client = self.world.env.client
        return client.get_workflow_handle_for(CaseWorkflow.run, workflow_id(self.id))

    async def stored_row(self) -> CaseRow:
        async with self.world.database.reading() as session:
            return await session.get_one(CaseRow, self.id)

    async def decide(self, choice: CaseChoice) -> CaseOutcome:
        """Decide as a reviewer does over HTTP, and let the courier carry it."""
        async with self.world.database.transaction() as session:
            outcome = await decisions.decide(
                session,
                self.id,
                CaseDecision(choice=choice),
                REVIEWER,
                limits=LIMITS,
                now=self.life.began_at,
            )
        await self.carry()
        return outcome

    async def carry(self) -> None:
        await carry(self.world, self.carrier)
        await self.world.carry()

    async def ends(self) -> CaseStatus:
        return await self.handle.result()


async def carry(world: World, carrier: CaseCarrier) -> None:
    with world.env.with_time_skipping_disabled():
        while await carrier.carry():
            pass


async def open_case(world: World) -> HeldCase:
    async def connect() -> Client:
        return world.env.client

    life = await hold_for_review(world)
    carrier = CaseCarrier(world.database, connect=connect, task_queue=world.task_queue)
    await carry(world, carrier)
    query = select(CaseReferral.case_id).where(CaseReferral.referral_id == life.row.id)
    async with world.database.reading() as session:
        case_id = (await session.scalars(query)).one()
    return HeldCase(life, case_id, carrier)


async def escalated_and_decided(world: World) -> HeldCase:
    """Play a whole case, to be recorded and replayed for as long as one lives."""
    case = await open_case(world)
    await world.env.fast_forward(case.handle, timedelta(days=8))
    await case.decide(CaseChoice.APPROVE)
    assert await case.ends() is CaseStatus.DECIDED
    await case.life.reaches(Stage.REWARDED)
    return case
