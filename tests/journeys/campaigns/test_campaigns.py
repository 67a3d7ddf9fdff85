"""Effects of a campaign's terms, budget and end on its referrals."""

from datetime import UTC, datetime, timedelta

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import (
    create_deposited_pair,
    create_invited_pair,
    create_signed_up_pair,
)
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import campaign_draft, deposit, usd
from tests.journeys.engineer import Engineer


async def test_an_empty_budget_defers_until_it_is_topped_up(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(budget_minor=0))
    pair, _ = await create_deposited_pair(sportsbook, "DEFERRED", campaign=campaign)
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0

    await sportsbook.fund(campaign, 1000)

    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert credited.stages == ["INVITED", "SIGNED_UP", "DEFERRED", "REWARDED"]
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000


async def test_a_deferred_reward_is_unfunded_when_its_campaign_ends(
    sportsbook: SportsbookClient,
) -> None:
    campaign = await sportsbook.publish(campaign_draft(budget_minor=999))
    pair, _ = await create_deposited_pair(sportsbook, "DEFERRED", campaign=campaign)

    await sportsbook.end(campaign)

    unfunded = await sportsbook.wait_for_stage(pair.referral_id, "UNFUNDED")
    assert [reward.status for reward in unfunded.rewards] == ["VOID"]
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 0


async def test_expires_without_a_signup_in_time(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(signup_window="PT1S", lateness_grace="PT0S"))
    pair = await create_invited_pair(sportsbook, campaign)

    expired = await sportsbook.wait_for_stage(pair.referral_id, "EXPIRED")

    assert expired.stages == ["INVITED", "EXPIRED"]


async def test_expires_without_a_deposit_in_time(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(
        campaign_draft(deposit_window="PT1S", lateness_grace="PT0S")
    )
    pair = await create_signed_up_pair(sportsbook, campaign)

    expired = await sportsbook.wait_for_stage(pair.referral_id, "EXPIRED")

    assert expired.stages == ["INVITED", "SIGNED_UP", "EXPIRED"]


async def test_a_hold_period_ends_by_itself(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(hold_period="PT1S"))
    pair, _ = await create_deposited_pair(sportsbook, "HELD", "REWARDED", campaign=campaign)

    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")

    assert credited.stages == ["INVITED", "SIGNED_UP", "HELD", "REWARDED"]


async def test_settles_when_the_chargeback_window_closes(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(chargeback_window="PT1S"))
    pair, _ = await create_deposited_pair(sportsbook, "REWARDED", "SETTLED", campaign=campaign)

    settled = await sportsbook.wait_for_stage(pair.referral_id, "SETTLED")

    assert settled.stages == ["INVITED", "SIGNED_UP", "REWARDED", "SETTLED"]


async def test_rewards_both_sides(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(referee_reward=usd(500)))
    pair, _ = await create_deposited_pair(sportsbook, campaign=campaign)

    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert (await sportsbook.balance(pair.referee_id)).minor("available") == 500


async def test_events_in_time_count_although_they_arrive_late(sportsbook: SportsbookClient) -> None:
    windows = campaign_draft(signup_window="PT1S", deposit_window="PT1S", lateness_grace="PT1H")
    pair = await create_invited_pair(sportsbook, await sportsbook.publish(windows))
    invited_at = (await sportsbook.referral(pair.referral_id)).timeline[0].at
    await wait_until_past(invited_at + timedelta(seconds=2.5))

    await sportsbook.send(pair.signup(at=invited_at + timedelta(seconds=0.9)))
    await sportsbook.send(deposit(pair.referee_id, at=invited_at + timedelta(seconds=1.8)))

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")


async def test_events_after_their_window_do_not_count(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    windows = campaign_draft(signup_window="PT1S", deposit_window="PT1S", lateness_grace="PT1H")
    campaign = await sportsbook.publish(windows)
    late, slow = (
        await create_invited_pair(sportsbook, campaign),
        await create_invited_pair(sportsbook, campaign),
    )
    signed_up_at = datetime.now(UTC)
    await sportsbook.send(slow.signup(at=signed_up_at))
    await wait_until_past(signed_up_at + timedelta(seconds=2.1))

    await sportsbook.send(late.signup())
    await sportsbook.send(deposit(slow.referee_id))

    assert (await engineer.wait_until_idle(slow.referral_id)).stage == "SIGNED_UP"
    assert (await engineer.wait_until_idle(late.referral_id)).stage == "INVITED"
    assert await sportsbook.referrals_of(late.referee_id) == []


async def wait_until_past(moment: datetime) -> None:
    """Wait until the clock has passed the moment."""

    async def ask() -> datetime:
        return datetime.now(UTC)

    await wait_until(ask, lambda now: now > moment, what=f"{moment} is over")
