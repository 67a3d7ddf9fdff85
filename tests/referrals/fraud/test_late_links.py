"""Late links: what becomes of referrals whose players are joined after they were judged."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from db.engine import Database
from db.tables import CaseRequest, ClusterMerge, Delivery, ReferralRow
from domain.lifecycle.referral import Stage
from referrals.fraud.late_links import follow_next
from referrals.lifecycle.stages import lock_referral
from tests.builders import NOW, a_player_id, deposit, unique
from tests.courier.steps import bind_referral, record_and_route, set_stage
from tests.fixtures.database_activity import wait_until_blocked


async def follow(database: Database, *player_ids: str) -> None:
    """Follow the merges of these players; those of other tests may be open, too."""
    while await _is_open(database, *player_ids):
        async with database.transaction() as session:
            await follow_next(session)


async def _is_open(database: Database, *player_ids: str) -> bool:
    query = select(ClusterMerge.id).where(ClusterMerge.followed_at.is_(None))
    async with database.reading() as session:
        return await session.scalar(query.where(ClusterMerge.player_id.in_(player_ids))) is not None


async def a_referral_at(database: Database, stage: Stage) -> tuple[ReferralRow, str]:
    row = await bind_referral(database)
    await set_stage(database, row, stage)
    assert row.referee_id
    return row, row.referee_id


async def share_a_card(database: Database, *player_ids: str) -> None:
    card = unique("card")
    for player_id in player_ids:
        paid = deposit(player_id, payment_instrument=card, at=NOW + timedelta(days=1))
        await record_and_route(database, paid, player_id=player_id)


async def merge_deliveries(database: Database, referral_id: UUID) -> list[Delivery]:
    query = select(Delivery).where(Delivery.referral_id == referral_id)
    async with database.reading() as session:
        return [*await session.scalars(query.where(Delivery.event_id.startswith("merge/")))]


async def case_requests(database: Database, referral_id: UUID) -> list[list[str]]:
    query = select(CaseRequest.reasons).where(CaseRequest.referral_id == referral_id)
    async with database.reading() as session:
        return [*await session.scalars(query)]


@pytest.mark.parametrize("stage", [Stage.HELD, Stage.DEFERRED])
async def test_waiting_referrals_of_both_players_are_woken_once_to_be_scored_again(
    database: Database, stage: Stage
) -> None:
    one, first = await a_referral_at(database, stage)
    other, second = await a_referral_at(database, stage)

    await share_a_card(database, first, second)
    await follow(database, first, second)

    for row in (one, other):
        (delivery,) = await merge_deliveries(database, row.id)
        assert (delivery.signal, delivery.acknowledged_at) == ("look", None)
        assert await case_requests(database, row.id) == []


@pytest.mark.parametrize("stage", [Stage.REWARDED, Stage.SETTLED])
async def test_a_case_is_asked_for_about_paid_referrals_of_both_players(
    database: Database, stage: Stage
) -> None:
    one, first = await a_referral_at(database, stage)
    other, second = await a_referral_at(database, stage)

    await share_a_card(database, first, second)
    await follow(database, first, second)

    for row in (one, other):
        assert await case_requests(database, row.id) == [["late_link", "shared_payment_instrument"]]
        assert await merge_deliveries(database, row.id) == []


async def test_a_case_is_asked_for_when_the_players_of_a_paid_referral_are_joined(
    database: Database,
) -> None:
    row, referee = await a_referral_at(database, Stage.REWARDED)

    await share_a_card(database, row.referrer_id, referee)
    await follow(database, row.referrer_id, referee)

    assert await case_requests(database, row.id) == [["late_link", "shared_payment_instrument"]]


@pytest.mark.parametrize("stage", [Stage.SIGNED_UP, Stage.REJECTED, Stage.VOIDED, Stage.REVERSED])
async def test_other_referrals_are_left_alone(database: Database, stage: Stage) -> None:
    row, referee = await a_referral_at(database, stage)

    await share_a_card(database, row.referrer_id, referee)
    await follow(database, row.referrer_id, referee)

    assert await case_requests(database, row.id) == []
    assert await merge_deliveries(database, row.id) == []


async def test_honest_referees_of_a_joined_referrer_are_left_alone_once_they_are_paid(
    database: Database,
) -> None:
    row, _ = await a_referral_at(database, Stage.REWARDED)
    _, stranger = await a_referral_at(database, Stage.REWARDED)

    await share_a_card(database, row.referrer_id, stranger)
    await follow(database, row.referrer_id, stranger)

    assert await case_requests(database, row.id) == []


async def test_a_credit_under_way_is_waited_for_and_found(database: Database) -> None:
    row, referee = await a_referral_at(database, Stage.SIGNED_UP)
    twin = a_player_id()
    await share_a_card(database, referee, twin)
    await follow(database, referee, twin)

    async with database.transaction() as session:
        crediting = await lock_referral(session, row.id)
        assert crediting is not None
        await share_a_card(database, row.referrer_id, twin)
        following = asyncio.create_task(follow(database, row.referrer_id, twin))
        await wait_until_blocked(database, session)
        crediting.stage = Stage.REWARDED
    await following

    assert await case_requests(database, row.id) == [["late_link", "shared_payment_instrument"]]
