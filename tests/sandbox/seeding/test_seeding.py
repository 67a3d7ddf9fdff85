"""The seeded past: its plan, and a small one that is played into a database."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from db.engine import Database
from db.tables import Delivery, ReferralRow, Share, TouchRow, TransferRow
from domain.lifecycle.referral import Stage
from referrals.access.audit import Actor
from referrals.verification.verify import verify_database
from runtime.settings import Settings
from sandbox.seeding.campaigns import OFFERS
from sandbox.seeding.circles import DAYS, Step, make_circles
from sandbox.seeding.play import seed_past
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.fixtures.keys import create_key

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_plans_the_asked_number_of_invitations_before_now() -> None:
    circles = list(make_circles(300, now=NOW, seed=1))

    acts = [act for circle in circles for act in circle.acts]
    invited = {act.account.player_id for act in acts if act.step is Step.CLICK}
    assert 290 <= len(invited) <= 300
    assert all(NOW - timedelta(days=DAYS + 2) < act.at < NOW for act in acts)
    assert {circle.campaign for circle in circles} == set(OFFERS)
    assert set(Counter(act.step for act in acts)) == set(Step)


def test_plans_the_same_past_for_the_same_seed() -> None:
    first, again, other = (list(make_circles(40, now=NOW, seed=seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_circle_acts_in_the_order_of_its_times() -> None:
    for circle in make_circles(100, now=NOW, seed=3):
        times = [act.at for act in circle.acts]
        assert times == sorted(times)


async def test_a_played_past_has_money_on_the_days_on_which_it_was_earned(
    postgres: PostgresCluster, template_database: str, settings: Settings
) -> None:
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
    ):
        keys = [await _key(database, owner) for owner in ("drafter", "approver")]
        own = settings.model_copy(update={"database_url": urls.application})

        await seed_past(own, key=keys[0], approver_key=keys[1], referrals=12, processes=1)

        report = await verify_database(database, as_of=datetime.now(UTC))
        async with database.reading() as session:
            stages = Counter(await session.scalars(select(ReferralRow.stage)))
            days = set(await session.scalars(select(func.date(TransferRow.at))))
            counted = [
                await session.scalar(select(func.count()).select_from(table))
                for table in (Share, TouchRow)
            ]
            started = select(func.count()).where(Delivery.acknowledged_at.is_(None))
            waiting = await session.scalar(started)
    assert [check.sentence for check in report.checks if not check.ok] == []
    assert stages[Stage.REWARDED] >= 2
    assert len(days) >= 3
    assert all(counted)
    assert waiting == stages[Stage.INVITED]


async def _key(database: Database, owner: str) -> str:
    actor = Actor(name=owner, request_id=None, reason="a test of seeding")
    async with database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)
