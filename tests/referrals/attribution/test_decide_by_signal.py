"""Signups signalled to a referral's workflow, before or after they arrive over HTTP."""

from datetime import timedelta

import pytest

from db.engine import Database
from db.locks import lock_players
from db.tables import Campaign
from domain.attribution.policy import Method, Policy, Tier
from domain.campaigns.terms import CampaignStatus
from domain.intake.facts import Signup
from domain.lifecycle.referral import Stage
from referrals.attribution.binding import bind_signup
from referrals.attribution.claims import CodeClaim, apply_claim
from referrals.attribution.log import AttemptKind, AttemptResult, AttributionAttempt, SignupDoor
from tests.builders import NOW, TOKENS, a_code, an_offer, signup, unique
from tests.courier.steps import (
    InvitedReferral,
    a_shared_code,
    deliveries_to,
    invite,
    logged_attempt,
    pending_signals,
    record_facts,
    referral,
    referrals_of,
    route,
    sign_up,
)

SOON = NOW + timedelta(minutes=5)


async def test_a_signup_signalled_to_a_referral_is_bound_to_it(database: Database) -> None:
    link, arrival = await invite(database), signup()

    await _signal(database, link, arrival)
    await _signal(database, link, arrival)
    await route(database, arrival.player_id)

    row = await referral(database, link)
    assert (row.referee_id, row.attribution_method) == (arrival.player_id, Method.SIGNAL)
    assert len(await deliveries_to(database, row)) == 1
    (touch,) = (await logged_attempt(database, arrival, SignupDoor.SIGNAL)).touches
    assert (touch["method"], touch["outcome"], touch["referral_id"]) == (
        "signal",
        "won",
        str(row.id),
    )


async def test_a_signup_without_a_claim_is_still_bound_by_its_signal(database: Database) -> None:
    link, arrival = await invite(database), signup()

    decided = await sign_up(database, arrival)
    await _signal(database, link, arrival)

    assert decided.outcome == "no_touch"
    assert (await referral(database, link)).referee_id == arrival.player_id


@pytest.mark.parametrize("is_signalled_first", [False, True])
async def test_a_signups_tokens_count_the_same_whichever_door_is_faster(
    database: Database, *, is_signalled_first: bool
) -> None:
    link, code = await invite(database), await a_shared_code(database)
    arrival = signup(at=SOON, code=code)

    if is_signalled_first:
        await _signal(database, link, arrival)
        await route(database, arrival.player_id)
    else:
        await sign_up(database, arrival)
        await _signal(database, link, arrival)

    (row,) = await referrals_of(database, arrival.player_id)
    lost = await referral(database, link)
    assert (row.code, row.attribution_method) == (code, Method.TYPED_CODE)
    assert (lost.stage, await pending_signals(database, lost)) == (Stage.LOST, ["supersede"])


async def test_a_claim_is_weighed_against_the_signal_that_bound_its_player(
    database: Database,
) -> None:
    link, arrival = await invite(database), signup()
    await _signal(database, link, arrival)

    binding = await _claim_outranked_code(database, arrival)

    assert (binding.outcome, binding.referral_id) == ("outranked", link.row.id)


async def test_a_claim_is_weighed_against_the_link_that_bound_its_player_though_that_is_over_now(
    database: Database,
) -> None:
    link = await invite(database)
    arrival = signup(referral_token=link.token)
    await sign_up(database, arrival)
    async with database.transaction() as session:
        campaign = await session.get_one(Campaign, link.row.campaign_id)
        campaign.status = CampaignStatus.PAUSED

    binding = await _claim_outranked_code(database, arrival)

    assert (binding.outcome, binding.referral_id) == ("outranked", link.row.id)


async def _claim_outranked_code(database: Database, arrival: Signup) -> AttemptResult:
    order = (Tier(methods=(Method.REFERRAL_TOKEN,)), Tier(methods=(Method.TYPED_CODE,)))
    async with database.transaction() as session:
        offer = await an_offer(session, policy=Policy(order=order))
        code = (await a_code(session, offer)).code
        player = arrival.player_id
        attempt = AttributionAttempt(
            attempt_id=unique("claim"), kind=AttemptKind.CLAIM, player_id=player
        )
        code_claim = CodeClaim(attempt=attempt, player_id=player, code=code, claimed_at=SOON)
        return await apply_claim(session, code_claim, tokens=TOKENS, now=SOON)


async def _signal(database: Database, link: InvitedReferral, arrival: Signup) -> None:
    await record_facts(database, arrival, player_id=arrival.player_id)
    async with database.transaction() as session:
        await lock_players(session, arrival.player_id)
        await bind_signup(session, arrival, tokens=TOKENS, now=NOW, signalled_to=link.row.id)
