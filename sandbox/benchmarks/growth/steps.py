"""The steps that are measured: what doors, courier, acts and monitoring do again and again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from db.engine import Database
from db.paging import PageRequest
from domain.intake.facts import Deposit, PlayerStatus, StatusChange
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.reward import RewardStatus
from referrals.attribution.clicks.followed_codes import Click
from referrals.campaigns.budget import Funding
from referrals.campaigns.funding import fund_campaign
from referrals.campaigns.trial_campaign import ACTOR
from referrals.intake import unrouted
from referrals.ledger.spending import spend
from referrals.lifecycle import deliveries
from referrals.lifecycle.deliveries import Lane
from referrals.lifecycle.overdue import count_overdue, overdue_referrals
from referrals.reporting.referral_views import ReferralFilter, list_referrals
from referrals.reports import vitals
from referrals.rewards.views import RewardFilter, list_rewards
from referrals.verification.lag import load_lag
from sandbox.benchmarks.growth.lives import (
    BETTOR,
    ENOUGH,
    LITTLE,
    LUCKY,
    POOR,
    STAR,
    TURNOVER,
    Life,
    Lives,
)

Step = Callable[[], Awaitable[object]]
BATCH: Final = 64
BETS: Final = 100
"""Bets of a referee that are routed at once."""
PAGE: Final = PageRequest(limit=50)
LEASE: Final = timedelta(seconds=10)
GRACE: Final = timedelta(minutes=1)
TOP_UP: Final = Money(10_000_000, "USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Lives at the stages from which the steps take them on."""

    life: Life
    asked_about: Life
    """As where a fraud provider is asked: scored in one act, credited in another."""
    expiring: Life
    late: Life
    charged: Life
    paid_in: Deposit
    click: Click
    repeated: Click


async def prepare(lives: Lives) -> Prepared:
    charged, paid_in = await lives.funded()
    await lives.score_and_credit(charged)
    asked_about, _ = await lives.funded()
    repeated = await lives.click_of()
    await lives.click(repeated)
    return Prepared(
        life=await lives.invited(),
        asked_about=asked_about,
        expiring=await lives.invited(),
        late=await lives.signed_up(),
        charged=charged,
        paid_in=paid_in,
        click=await lives.click_of(),
        repeated=repeated,
    )


def steps_of(lives: Lives, given: Prepared) -> dict[str, Step]:
    """Return each step by name, in an order in which they can be taken once."""
    return _acts(lives, given) | _courier_steps(lives) | _lists(lives.database, given)


def _acts(lives: Lives, given: Prepared) -> dict[str, Step]:
    life, quiet = given.life, Life(given.life.referral_id, uuid4().hex, "")
    signup, little = lives.signup(life), lives.deposit(life, LITTLE)
    bets = [lives.bet(life.referee_id) for _ in range(BETS)]
    return {
        "click": partial(lives.click, given.click),
        "click of an open invitation": partial(lives.click, given.repeated),
        "record a signup": partial(lives.record, signup),
        "route a signup": partial(lives.route, life.referee_id),
        "admit a signup": partial(lives.admit, life),
        "record a deposit": partial(lives.record, little),
        "route a deposit below the minimum": partial(lives.route, life.referee_id),
        f"record and route {BETS} bets": partial(lives.report, *bets),
        "record and route a bet that counts": partial(lives.report, lives.bet(BETTOR)),
        "record and route the bet that reaches the turnover": partial(
            lives.report, lives.bet(LUCKY, TURNOVER, days=10)
        ),
        "record and route a deposit": partial(lives.report, lives.deposit(life, ENOUGH)),
        "score and credit": partial(lives.score_and_credit, life),
        "score": partial(lives.score, given.asked_about),
        "credit": partial(lives.credit, given.asked_about),
        "settle": partial(lives.settle, life),
        "record and route a chargeback": partial(lives.report, lives.chargeback(given.paid_in)),
        "compensate": partial(lives.compensate, given.charged),
        "expire an invitation": partial(lives.expire, given.expiring),
        "expire a signup": partial(lives.expire, given.late),
        "record and route a quiet player's deposit": partial(
            lives.report, lives.deposit(quiet, LITTLE)
        ),
        "exclude a referrer": partial(_change_status, lives, PlayerStatus.SELF_EXCLUDED),
        "restore a referrer": partial(_change_status, lives, PlayerStatus.RESTORED),
        "top up a budget": partial(_top_up, lives.database),
        "spend": partial(_spend, lives.database),
    }


def _courier_steps(lives: Lives) -> dict[str, Step]:
    database = lives.database
    return {
        "lease players": partial(_lease_players, database),
        "lease and acknowledge updates": partial(_lease, database, Lane.UPDATES),
        "lease and acknowledge invitations": partial(_lease, database, Lane.INVITATIONS),
        "look for the overdue": partial(_look_for_overdue, database),
        "look at vital signs": partial(_look_at_vital_signs, database),
        "read the lag": partial(_read_lag, database),
    }


def _lists(database: Database, given: Prepared) -> dict[str, Step]:
    referee_id = given.charged.referee_id
    lists: dict[str, Step] = {}
    filters = {
        "of a referrer": ReferralFilter(referrer_id=STAR),
        "of a referee": ReferralFilter(referee_id=referee_id),
        "of a referee, by either side": ReferralFilter(either_side=referee_id),
        "of a referrer, by either side": ReferralFilter(either_side=STAR),
        "of all": ReferralFilter(),
        "of a stage": ReferralFilter(stage=Stage.SETTLED),
        "of a campaign": ReferralFilter(campaign=POOR),
        "of a code": ReferralFilter(code=given.click.code),
    }
    rewards = {
        "of all": RewardFilter(),
        "of a player": RewardFilter(player_id=STAR),
        "of a status": RewardFilter(status=RewardStatus.HELD),
    }
    for name, of_referrals in filters.items():
        lists[f"list referrals {name}"] = partial(_list_referrals, database, of_referrals)
    for name, of_rewards in rewards.items():
        lists[f"list rewards {name}"] = partial(_list_rewards, database, of_rewards)
    return lists


async def _change_status(lives: Lives, status: PlayerStatus) -> None:
    now = datetime.now(UTC)
    change = StatusChange(event_id=uuid4().hex, occurred_at=now, player_id=STAR, status=status)
    await lives.report(change)


async def _top_up(database: Database) -> None:
    funding = Funding(amount=TOP_UP, reference=uuid4().hex)
    async with database.transaction() as session:
        await fund_campaign(session, POOR, funding, ACTOR, at=datetime.now(UTC))


async def _spend(database: Database) -> None:
    reference, now = uuid4().hex, datetime.now(UTC)
    async with database.transaction() as session:
        await spend(session, player_id=STAR, amount=LITTLE, reference=reference, at=now)


async def _lease_players(database: Database) -> None:
    async with database.reading() as session:
        await unrouted.lease_players(session, limit=BATCH)


async def _lease(database: Database, lane: Lane) -> None:
    async with database.autocommit() as session:
        leased = await deliveries.lease(session, limit=BATCH, lasting=LEASE, lane=lane)
        await deliveries.acknowledge(session, [delivery.id for delivery in leased])


async def _look_for_overdue(database: Database) -> None:
    async with database.reading() as session:
        await count_overdue(session, grace=GRACE)
        await overdue_referrals(session, grace=GRACE, excluding=(), limit=BATCH)


async def _look_at_vital_signs(database: Database) -> None:
    async with database.reading() as session:
        await vitals.load_lanes(session)
        await vitals.load_verified(session)
        await vitals.load_cases(session)
        await vitals.load_free_budgets(session)


async def _read_lag(database: Database) -> None:
    async with database.reading() as session:
        await load_lag(session)


async def _list_referrals(database: Database, filters: ReferralFilter) -> None:
    async with database.reading() as session:
        await list_referrals(session, filters, PAGE)


async def _list_rewards(database: Database, filters: RewardFilter) -> None:
    async with database.reading() as session:
        await list_rewards(session, filters, PAGE)
