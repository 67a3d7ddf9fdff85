"""Chargebacks before, during and after the credit of the reward, and chargebacks won."""

from sandbox.sportsbook.answers import Balance
from sandbox.sportsbook.book import Book
from sandbox.sportsbook.campaigns import draft
from sandbox.sportsbook.events import ago, deposit, taken_back
from sandbox.sportsbook.pairs import deposited, invited, signed_up
from tests.journeys.engineer import Engineer


def minor(balance: Balance) -> tuple[int, int, int]:
    return balance.minor("available"), balance.minor("held"), balance.minor("owed")


async def test_voids_a_held_reward(book: Book) -> None:
    campaign = await book.publish(draft(hold_period="PT1H"))
    pair, paid = await deposited(book, "HELD", campaign=campaign)
    assert minor(await book.balance(pair.referrer_id)) == (0, 1000, 0)

    await book.send(taken_back(paid))

    voided = await book.at_stage(pair.referral_id, "VOIDED")
    assert voided.stages == ["INVITED", "SIGNED_UP", "HELD", "VOIDED"]
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 0)


async def test_voids_a_deferred_reward(book: Book) -> None:
    campaign = await book.publish(draft(budget_minor=0))
    pair, paid = await deposited(book, "DEFERRED", campaign=campaign)

    await book.send(taken_back(paid))

    voided = await book.at_stage(pair.referral_id, "VOIDED")
    assert voided.stages == ["INVITED", "SIGNED_UP", "DEFERRED", "VOIDED"]


async def test_the_next_deposit_earns_the_reward_that_the_first_one_lost_while_held(
    book: Book, engineer: Engineer
) -> None:
    campaign = await book.publish(draft(hold_period="PT3S"))
    pair, lost = await deposited(book, "HELD", campaign=campaign)
    kept = deposit(pair.referee_id)
    await book.send(kept)

    await book.send(taken_back(lost))

    assert (await engineer.wait_until_idle(pair.referral_id)).stage in {"HELD", "REWARDED"}
    credited = await book.at_stage(pair.referral_id, "REWARDED")
    assert [reward.deposit_event_id for reward in credited.rewards] == [kept.id]
    assert minor(await book.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_a_credited_reward_and_reinstates_it_when_won(book: Book) -> None:
    pair, paid = await deposited(book)

    await book.send(taken_back(paid))
    await book.at_stage(pair.referral_id, "REVERSED")
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 0)

    await book.send(taken_back(paid, "chargeback_won"))
    await book.at_stage(pair.referral_id, "REWARDED")
    assert minor(await book.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_and_reinstates_as_often_as_the_chargeback_is_disputed(book: Book) -> None:
    pair, paid = await deposited(book)

    for _ in range(3):
        await book.send(taken_back(paid))
        await book.at_stage(pair.referral_id, "REVERSED")
        await book.send(taken_back(paid, "chargeback_won"))
        await book.at_stage(pair.referral_id, "REWARDED")

    referral = await book.referral(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", *["REWARDED", "REVERSED"] * 3, "REWARDED"]
    assert minor(await book.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_reverses_after_the_referral_was_settled(book: Book) -> None:
    campaign = await book.publish(draft(chargeback_window="PT1S"))
    pair, paid = await deposited(book, "REWARDED", "SETTLED", campaign=campaign)
    await book.at_stage(pair.referral_id, "SETTLED")

    await book.send(taken_back(paid))
    await book.at_stage(pair.referral_id, "REVERSED")
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 0)

    await book.send(taken_back(paid, "chargeback_won"))
    await book.at_stage(pair.referral_id, "SETTLED")
    assert minor(await book.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_books_what_was_spent_as_owed_and_recovers_it_from_the_next_reward(
    book: Book,
) -> None:
    pair, paid = await deposited(book)
    await book.spend(pair.referrer_id, 700)
    await book.send(taken_back(paid))
    await book.at_stage(pair.referral_id, "REVERSED")
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 700)

    invitation = await book.click(await book.code(pair.referrer_id))
    another = type(pair)(pair.referrer_id, f"{pair.referee_id}-2", invitation)
    await book.send(another.signup())
    await book.send(deposit(another.referee_id))
    await book.at_stage(another.referral_id, "REWARDED")

    assert minor(await book.balance(pair.referrer_id)) == (300, 0, 0)


async def test_a_chargeback_received_before_its_deposit_counts(
    book: Book, engineer: Engineer
) -> None:
    pair = await signed_up(book)
    lost, kept = deposit(pair.referee_id), deposit(pair.referee_id)
    await book.send(taken_back(lost))
    await book.send(lost)
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "SIGNED_UP"

    await book.send(kept)

    credited = await book.at_stage(pair.referral_id, "REWARDED")
    assert [reward.deposit_event_id for reward in credited.rewards] == [kept.id]


async def test_a_chargeback_received_before_the_signup_counts(
    book: Book, engineer: Engineer
) -> None:
    pair = await invited(book)
    registered = pair.signup(at=ago(seconds=2))
    paid = deposit(pair.referee_id, at=ago(seconds=1))
    await book.send(taken_back(paid))
    await book.send(paid)
    await book.send(registered)
    await book.bound(pair.referee_id)

    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "SIGNED_UP"
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 0)


async def test_a_chargeback_of_another_deposit_changes_nothing(
    book: Book, engineer: Engineer
) -> None:
    pair, _ = await deposited(book)
    other = deposit(pair.referee_id)
    await book.send(other)

    await book.send(taken_back(other))

    referral = await engineer.wait_until_idle(pair.referral_id)
    assert referral.stages == ["INVITED", "SIGNED_UP", "REWARDED"]
    assert minor(await book.balance(pair.referrer_id)) == (1000, 0, 0)


async def test_partial_refunds_reverse_once_less_than_the_minimum_is_left(
    book: Book, engineer: Engineer
) -> None:
    pair, paid = await deposited(book, minor=2000)

    await book.send(taken_back(paid, "refund", minor=1000))
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "REWARDED"

    await book.send(taken_back(paid, "refund", minor=1))
    await book.at_stage(pair.referral_id, "REVERSED")
    assert minor(await book.balance(pair.referrer_id)) == (0, 0, 0)
