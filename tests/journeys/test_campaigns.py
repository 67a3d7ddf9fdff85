"""Effects of a campaign's terms, budget and end on its referrals."""

from datetime import UTC, datetime, timedelta

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.campaigns import draft
from sandbox.sportsbook.events import deposit, usd
from sandbox.sportsbook.pairs import deposited, invited, signed_up
from sandbox.sportsbook.patience import until
from tests.journeys.engineer import Engineer


async def test_an_empty_budget_defers_until_it_is_topped_up(book: Book) -> None:
    campaign = await book.publish(draft(budget_minor=0))
    pair, _ = await deposited(book, "DEFERRED", campaign=campaign)
    assert (await book.balance(pair.referrer_id)).minor("available") == 0

    await book.fund(campaign, 1000)

    credited = await book.at_stage(pair.referral_id, "REWARDED")
    assert credited.stages == ["INVITED", "SIGNED_UP", "DEFERRED", "REWARDED"]
    assert (await book.balance(pair.referrer_id)).minor("available") == 1000


async def test_a_deferred_reward_is_unfunded_when_its_campaign_ends(book: Book) -> None:
    campaign = await book.publish(draft(budget_minor=999))
    pair, _ = await deposited(book, "DEFERRED", campaign=campaign)

    await book.end(campaign)

    unfunded = await book.at_stage(pair.referral_id, "UNFUNDED")
    assert [reward.status for reward in unfunded.rewards] == ["VOID"]
    assert (await book.balance(pair.referrer_id)).minor("available") == 0


async def test_expires_without_a_signup_in_time(book: Book) -> None:
    campaign = await book.publish(draft(signup_window="PT1S", lateness_grace="PT0S"))
    pair = await invited(book, campaign)

    expired = await book.at_stage(pair.referral_id, "EXPIRED")

    assert expired.stages == ["INVITED", "EXPIRED"]


async def test_expires_without_a_deposit_in_time(book: Book) -> None:
    campaign = await book.publish(draft(deposit_window="PT1S", lateness_grace="PT0S"))
    pair = await signed_up(book, campaign)

    expired = await book.at_stage(pair.referral_id, "EXPIRED")

    assert expired.stages == ["INVITED", "SIGNED_UP", "EXPIRED"]


async def test_a_hold_period_ends_by_itself(book: Book) -> None:
    campaign = await book.publish(draft(hold_period="PT1S"))
    pair, _ = await deposited(book, "HELD", "REWARDED", campaign=campaign)

    credited = await book.at_stage(pair.referral_id, "REWARDED")

    assert credited.stages == ["INVITED", "SIGNED_UP", "HELD", "REWARDED"]


async def test_settles_when_the_chargeback_window_closes(book: Book) -> None:
    campaign = await book.publish(draft(chargeback_window="PT1S"))
    pair, _ = await deposited(book, "REWARDED", "SETTLED", campaign=campaign)

    settled = await book.at_stage(pair.referral_id, "SETTLED")

    assert settled.stages == ["INVITED", "SIGNED_UP", "REWARDED", "SETTLED"]


async def test_rewards_both_sides(book: Book) -> None:
    campaign = await book.publish(draft(referee_reward=usd(500)))
    pair, _ = await deposited(book, campaign=campaign)

    assert (await book.balance(pair.referrer_id)).minor("available") == 1000
    assert (await book.balance(pair.referee_id)).minor("available") == 500


async def test_events_in_time_count_although_they_arrive_late(book: Book) -> None:
    windows = draft(signup_window="PT1S", deposit_window="PT1S", lateness_grace="PT1H")
    pair = await invited(book, await book.publish(windows))
    invited_at = (await book.referral(pair.referral_id)).timeline[0].at
    await wait_until_past(invited_at + timedelta(seconds=2.5))

    await book.send(pair.signup(at=invited_at + timedelta(seconds=0.9)))
    await book.send(deposit(pair.referee_id, at=invited_at + timedelta(seconds=1.8)))

    await book.at_stage(pair.referral_id, "REWARDED")


async def test_events_after_their_window_do_not_count(book: Book, engineer: Engineer) -> None:
    windows = draft(signup_window="PT1S", deposit_window="PT1S", lateness_grace="PT1H")
    campaign = await book.publish(windows)
    late, slow = await invited(book, campaign), await invited(book, campaign)
    signed_up_at = datetime.now(UTC)
    await book.send(slow.signup(at=signed_up_at))
    await wait_until_past(signed_up_at + timedelta(seconds=2.1))

    await book.send(late.signup())
    await book.send(deposit(slow.referee_id))

    assert (await engineer.wait_until_idle(slow.referral_id)).stage == "SIGNED_UP"
    assert (await engineer.wait_until_idle(late.referral_id)).stage == "INVITED"
    assert await book.referrals_of(late.referee_id) == []


async def wait_until_past(moment: datetime) -> None:
    """Wait until the clock has passed the moment."""

    async def ask() -> datetime:
        return datetime.now(UTC)

    await until(ask, lambda now: now > moment, what=f"{moment} is over")
