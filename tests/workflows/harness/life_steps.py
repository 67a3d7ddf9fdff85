"""Steps of a referral's life that many tests take."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from domain.intake.facts import Choice, Deposit
from domain.lifecycle.referral import Stage
from domain.money import Money
from referrals.access.audit import Actor
from referrals.attribution.claims import CodeClaim, apply_claim
from referrals.attribution.log import AttemptKind, AttemptResult, AttributionAttempt
from referrals.campaigns import funding as budgets
from referrals.campaigns import transitions
from referrals.campaigns.budget import Funding
from referrals.campaigns.outcomes import CampaignTransition
from referrals.fraud import reviews
from referrals.fraud.reviews import ReviewOutcome
from referrals.ledger.spending import spend
from tests import builders
from tests.builders import TERMS, TOKENS, unique, usd
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.world import World

HOLDING: Final = replace(TERMS, hold_period=timedelta(days=7))
ALMOST: Final = usd(999)
MARKETER: Final = Actor(name="marketer", request_id=None, reason="a test")


async def reward_referral(world: World, life: Life | None = None) -> tuple[Life, Deposit]:
    life = life or await invite(world)
    await life.signs_up()
    deposit = await life.deposits()
    await life.reaches(Stage.REWARDED)
    return life, deposit


async def spend_balance(life: Life, minor: int) -> None:
    async with life.world.database.transaction() as session:
        await spend(
            session,
            player_id=life.row.referrer_id,
            amount=usd(minor),
            reference=unique("bet"),
            at=life.began_at,
        )


async def hold_referral(world: World) -> tuple[Life, Deposit]:
    life = await invite(world, terms=HOLDING)
    await life.signs_up()
    deposit = await life.deposits()
    await life.reaches(Stage.HELD)
    return life, deposit


async def hold_for_review(world: World) -> Life:
    """Let the friend use the referrer's phone."""
    life = await invite(world)
    device = {"device_id": f"hm1:{life.row.id.hex * 2}", "platform": "ios"}
    referrer = builders.signup(life.row.referrer_id, at=life.began_at, **device)
    await life.receives(referrer, life.row.referrer_id)
    await life.signs_up(**device)
    await life.deposits()
    await life.reaches(Stage.HELD)
    return life


async def decide_review(life: Life, choice: Choice) -> ReviewOutcome:
    """Decide as a reviewer does over HTTP."""
    async with life.world.database.transaction() as session:
        answer = await reviews.decide(
            session,
            review_id=reviews.review_id_of(life.row.id),
            decision=builders.decision(choice, at=life.began_at),
            request_id="request",
        )
    await life.world.carry()
    return answer.outcome


async def defer_referral(
    world: World, *, budget: Money = ALMOST, ends_at: datetime | None = None
) -> Life:
    life = await invite(world, await world.offer(budget=budget, ends_at=ends_at))
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.DEFERRED)
    return life


async def top_up_budget(life: Life, minor: int) -> None:
    async with life.world.database.transaction() as session:
        await budgets.fund_campaign(
            session,
            life.row.campaign_slug,
            Funding(usd(minor), unique("top-up")),
            MARKETER,
            at=life.began_at,
        )
    await life.world.carry()


async def end_campaign(life: Life) -> None:
    async with life.world.database.transaction() as session:
        slug = life.row.campaign_slug
        await transitions.apply_transition(
            session, slug, CampaignTransition.END, MARKETER, at=life.began_at
        )
    await life.world.carry()


async def claim_other_code(life: Life, other: Life) -> AttemptResult:
    """Let the friend of `life` type the code of `other`."""
    now = await life.now()
    player_id = life.referee_id
    attempt = AttributionAttempt(
        attempt_id=f"claim:{uuid4()}", kind=AttemptKind.CLAIM, player_id=player_id
    )
    code_claim = CodeClaim(
        attempt=attempt, player_id=player_id, code=other.row.code, claimed_at=now
    )
    async with life.world.database.transaction() as session:
        result = await apply_claim(session, code_claim, tokens=TOKENS, now=now)
    await life.world.carry()
    return result
