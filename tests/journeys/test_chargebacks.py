"""Chargebacks before, during and after the credit of the reward, and chargebacks won."""

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import (
    Pair,
    create_deposited_pair,
    create_invited_pair,
    create_signed_up_pair,
)
from sandbox.sportsbook.requests import ago, campaign_draft, chargeback, deposit
from sandbox.sportsbook.responses import Balance
from tests.journeys.engineer import Engineer


def minor(balance: Balance) -> tuple[int, int, int]:
    return balance.minor("available"), balance.minor("held"), balance.minor("owed")


async def test_voids_a_held_reward(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(hold_period="PT1H"))
    pair, paid = await create_deposited_pair(sportsbook, "HELD", campaign=campaign)
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 1000, 0)

    await sportsbook.send(chargeback(paid))

    voided = await sportsbook.wait_for_stage(pair.referral_id, "VOIDED")
    assert voided.stages == ["INVITED", "SIGNED_UP", "HELD", "VOIDED"]
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 0)


async def test_voids_a_deferred_reward(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(budget_minor=0))
    pair, paid = await create_deposited_pair(sportsbook, "DEFERRED", campaign=campaign)

    await sportsbook.send(chargeback(paid))

    voided = await sportsbook.wait_for_stage(pair.referral_id, "VOIDED")
    assert voided.stages == ["INVITED", "SIGNED_UP", "DEFERRED", "VOIDED"]


async def test_the_next_deposit_earns_the_reward_that_the_first_one_lost_while_held(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    campaign = await sportsbook.publish(campaign_draft(hold_period="PT3S"))
    pair, lost = await create_deposited_pair(sportsbook, "HELD", campaign=campaign)
    kept = deposit(pair.referee_id)
    await sportsbook.send(kept)

    await sportsbook.send(chargeback(lost))

    assert (await engineer.wait_until_idle(pair.referral_id)).stage in {"HELD", "REWARDED"}
    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert [reward.deposit_event_id for reward in credited.rewards] == [kept.id]
    assert minor(await sportsbook.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_a_credited_reward_and_reinstates_it_when_won(
    sportsbook: SportsbookClient,
) -> None:
    pair, paid = await create_deposited_pair(sportsbook)

    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 0)

    await sportsbook.send(chargeback(paid, "chargeback_won"))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_and_reinstates_as_often_as_the_chargeback_is_disputed(
    sportsbook: SportsbookClient,
) -> None:
    pair, paid = await create_deposited_pair(sportsbook)

    for _ in range(3):
        await sportsbook.send(chargeback(paid))
        await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
        await sportsbook.send(chargeback(paid, "chargeback_won"))
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")

    referral = await sportsbook.referral(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", *["REWARDED", "REVERSED"] * 3, "REWARDED"]
    assert minor(await sportsbook.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_after_the_referral_was_settled(sportsbook: SportsbookClient) -> None:
    campaign = await sportsbook.publish(campaign_draft(chargeback_window="PT1S"))
    pair, paid = await create_deposited_pair(sportsbook, "REWARDED", "SETTLED", campaign=campaign)
    await sportsbook.wait_for_stage(pair.referral_id, "SETTLED")

    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 0)

    await sportsbook.send(chargeback(paid, "chargeback_won"))
    await sportsbook.wait_for_stage(pair.referral_id, "SETTLED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_books_what_was_spent_as_owed_and_recovers_it_from_the_next_reward(
    sportsbook: SportsbookClient,
) -> None:
    pair, paid = await create_deposited_pair(sportsbook)
    await sportsbook.spend(pair.referrer_id, 700)
    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 700)

    invitation = await sportsbook.click(await sportsbook.code(pair.referrer_id))
    another = Pair(
        referrer_id=pair.referrer_id, referee_id=f"{pair.referee_id}-2", invitation=invitation
    )
    await sportsbook.send(another.signup())
    await sportsbook.send(deposit(another.referee_id))
    await sportsbook.wait_for_stage(another.referral_id, "REWARDED")

    assert minor(await sportsbook.balance(pair.referrer_id)) == (300, 0, 0)


async def test_a_chargeback_received_before_its_deposit_counts(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    lost, kept = deposit(pair.referee_id), deposit(pair.referee_id)
    await sportsbook.send(chargeback(lost))
    await sportsbook.send(lost)
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "SIGNED_UP"

    await sportsbook.send(kept)

    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert [reward.deposit_event_id for reward in credited.rewards] == [kept.id]


async def test_a_chargeback_received_before_the_signup_counts(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_invited_pair(sportsbook)
    registered = pair.signup(at=ago(seconds=2))
    paid = deposit(pair.referee_id, at=ago(seconds=1))
    await sportsbook.send(chargeback(paid))
    await sportsbook.send(paid)
    await sportsbook.send(registered)
    await sportsbook.wait_until_bound(pair.referee_id)

    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "SIGNED_UP"
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 0)


async def test_a_chargeback_of_another_deposit_changes_nothing(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair, _ = await create_deposited_pair(sportsbook)
    other = deposit(pair.referee_id)
    await sportsbook.send(other)

    await sportsbook.send(chargeback(other))

    referral = await engineer.wait_until_idle(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", "REWARDED"]
    assert minor(await sportsbook.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_partial_refunds_reverse_once_less_than_the_minimum_is_left(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair, paid = await create_deposited_pair(sportsbook, minor=2000)

    await sportsbook.send(chargeback(paid, "refund", minor=1000))
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "REWARDED"

    await sportsbook.send(chargeback(paid, "refund", minor=1))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
    assert minor(await sportsbook.balance(pair.referrer_id)) == (0, 0, 0)
