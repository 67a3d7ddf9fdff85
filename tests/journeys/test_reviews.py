"""Reviews: rewards that are held, decided by a person, and never credited to the ineligible."""

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import deposit, status_change
from sandbox.sportsbook.pairs import signed_up
from tests.journeys.engineer import Engineer
from tests.journeys.review_steps import hold_for_review


async def test_an_approved_reward_is_credited(book: Book) -> None:
    pair, _ = await hold_for_review(book)
    review = await book.wait_for_review(pair.referral_id)
    assert review.reasons == ["shared_payment_instrument"]

    assert (await book.decide(review.review_id, "approve", "a couple")).status_code == 200

    await book.at_stage(pair.referral_id, "REWARDED")
    assert (await book.balance(pair.referrer_id)).minor("available") == 1000
    assert (await book.decide(review.review_id, "approve", "a couple")).status_code == 200
    refused = await book.decide(review.review_id, "reject", "or not")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_decided")


async def test_a_rejected_reward_goes_back_to_the_budget(book: Book) -> None:
    pair, _ = await hold_for_review(book)
    review = await book.wait_for_review(pair.referral_id)

    await book.decide(review.review_id, "reject", "one person with two accounts")

    await book.at_stage(pair.referral_id, "REJECTED")
    balance = await book.balance(pair.referrer_id)
    assert (balance.available, balance.held) == ([], [])


async def test_a_self_excluded_player_is_not_credited_even_when_approved(
    book: Book, engineer: Engineer
) -> None:
    pair = await signed_up(book)
    await book.send(status_change(pair.referee_id, "self_excluded"))
    await book.send(deposit(pair.referee_id))
    await book.at_stage(pair.referral_id, "HELD")
    review = await book.wait_for_review(pair.referral_id)

    await book.decide(review.review_id, "approve", "looks fine to me")
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "HELD"

    await book.send(status_change(pair.referee_id, "restored"))
    await book.at_stage(pair.referral_id, "REWARDED")


async def test_a_self_excluded_referrer_is_credited_once_restored_and_approved(
    book: Book, engineer: Engineer
) -> None:
    pair = await signed_up(book)
    await book.send(status_change(pair.referrer_id, "self_excluded"))
    await book.send(deposit(pair.referee_id))
    await book.at_stage(pair.referral_id, "HELD")

    await book.send(status_change(pair.referrer_id, "restored"))
    await engineer.wait_until_idle(pair.referral_id)
    review = await book.wait_for_review(pair.referral_id)
    if review.decision is None:
        await book.decide(review.review_id, "approve", "allowed to play again")

    await book.at_stage(pair.referral_id, "REWARDED")
