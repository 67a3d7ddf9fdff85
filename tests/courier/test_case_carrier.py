"""Filing of doubts as cases, and the calls to Temporal about them."""

import asyncio

import pytest
from sqlalchemy import func, select, update
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from courier.fraud.case_carrier import CaseCarrier
from db.engine import Database
from db.tables import CaseDelivery, CaseReferral, CaseRow, PlayerCluster, Review
from domain.fraud.cases import SubjectKind
from referrals.fraud.cases.filing import file_doubts
from tests.api.v1.cases.steps import file_cases, hold
from tests.builders import unique
from workflows.case.client import workflow_id


async def test_a_doubt_is_filed_while_temporal_is_away_and_carried_when_it_is_back(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    acts = await hold(fresh_database)
    is_away = True

    async def connect() -> Client:
        if is_away:
            raise RuntimeError("Failed client connect")
        return temporal_env.client

    carrier = CaseCarrier(fresh_database, connect=connect, task_queue=unique("cases"))
    with pytest.raises(RuntimeError, match="connect"):
        await carrier.carry()
    is_away = False
    case = await filed_case(fresh_database, acts.row.referrer_id)
    async with fresh_database.transaction() as session:
        await session.execute(update(CaseDelivery).values(next_attempt_at=func.now()))

    with temporal_env.with_time_skipping_disabled():
        await carrier.carry()

        described = await temporal_env.client.get_workflow_handle(workflow_id(case.id)).describe()
    assert described.workflow_type == "CaseWorkflow"
    async with fresh_database.reading() as reading:
        pending = select(func.count()).where(CaseDelivery.acknowledged_at.is_(None))
        assert await reading.scalar(pending) == 0


async def test_two_couriers_file_each_doubt_once(fresh_database: Database) -> None:
    first = await hold(fresh_database)
    for _ in range(4):
        await hold(fresh_database, referrer_id=first.row.referrer_id)

    async def file_one() -> int:
        async with fresh_database.transaction() as session:
            return await file_doubts(session, limit=2)

    filed = 0
    while filed < 5:
        filed += sum(await asyncio.gather(*(file_one() for _ in range(3))))

    async with fresh_database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(CaseRow)) == 1
        assert await session.scalar(select(func.count()).select_from(CaseReferral)) == 5


async def test_doubts_about_a_cluster_are_one_case(fresh_database: Database) -> None:
    one, other, stranger = [await hold(fresh_database) for _ in range(3)]
    cluster_id = one.row.id
    async with fresh_database.transaction() as session:
        for player_id in (one.referee_id, other.row.referrer_id):
            await session.merge(PlayerCluster(player_id=player_id, cluster_id=cluster_id))
    await file_cases(fresh_database)

    async with fresh_database.reading() as session:
        cases = (await session.scalars(select(CaseRow).order_by(CaseRow.subject_kind))).all()
        reviews = await session.execute(select(Review.referral_id, Review.case_id))
        case_ids = {row.referral_id: row.case_id for row in reviews}
    assert [case.subject_kind for case in cases] == [SubjectKind.CLUSTER, SubjectKind.REFERRER]
    assert cases[0].subject == str(cluster_id)
    assert case_ids[one.row.id] == case_ids[other.row.id] == cases[0].id
    assert case_ids[stranger.row.id] == cases[1].id


async def test_a_full_case_is_followed_by_another(fresh_database: Database) -> None:
    first = await hold(fresh_database)
    for _ in range(3):
        await hold(fresh_database, referrer_id=first.row.referrer_id)

    async with fresh_database.transaction() as session:
        await file_doubts(session, limit=100, max_referrals=2)

    async with fresh_database.reading() as session:
        counts = await session.scalars(
            select(func.count()).select_from(CaseReferral).group_by(CaseReferral.case_id)
        )
        assert sorted(counts) == [2, 2]


async def filed_case(database: Database, referrer_id: str) -> CaseRow:
    async with database.reading() as session:
        return (await session.scalars(select(CaseRow).where(CaseRow.subject == referrer_id))).one()
