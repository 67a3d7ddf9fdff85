"""What the demo plays: each story is told to the service over HTTP and ends in proofs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sandbox.demo.arrivals import (
    ambiguous_match_asks_nothing,
    claim_code_after_signup,
    confirm_match_before_paying,
    disputed,
    read_on_a_phone,
)
from sandbox.demo.proofs import Proofs
from sandbox.sportsbook.book import Book
from sandbox.sportsbook.campaigns import draft
from sandbox.sportsbook.events import ago, deposit, signup, taken_back, unique
from sandbox.sportsbook.pairs import deposited, invited, signed_up

CARD: Final = "4111-1111-1111-1111"


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    play: Callable[[Book, Proofs], Awaitable[None]]


async def paid_once(book: Book, proofs: Proofs) -> None:
    pair = await signed_up(book)
    paid = deposit(pair.referee_id)
    statuses = await asyncio.gather(*(book.send(paid) for _ in range(5)))
    credited = await book.at_stage(pair.referral_id, "REWARDED")
    balance = await book.balance(pair.referrer_id)
    proofs.add(
        "answers to five copies of one event",
        expected=["accepted", *["duplicate"] * 4],
        seen=sorted(statuses),
    )
    proofs.add(
        "its timeline",
        expected="INVITED → SIGNED_UP → REWARDED",
        seen=" → ".join(credited.stages),
    )
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def deposit_first(book: Book, proofs: Proofs) -> None:
    pair = await invited(book)
    registered = pair.signup(at=ago(seconds=2))
    await book.send(deposit(pair.referee_id, at=ago(seconds=1)))
    await book.send(registered)
    credited = await book.at_stage(pair.referral_id, "REWARDED")
    balance = await book.balance(pair.referrer_id)
    proofs.add("stage in the end", expected="REWARDED", seen=credited.stage)
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def too_small(book: Book, proofs: Proofs) -> None:
    pair = await signed_up(book)
    small = deposit(pair.referee_id, minor=500)
    enough = deposit(pair.referee_id, minor=2000)
    await book.send(small)
    await book.delivered()
    before = await book.referral(pair.referral_id)
    await book.send(enough)
    credited = await book.at_stage(pair.referral_id, "REWARDED")
    proofs.add("stage after $5", expected="SIGNED_UP", seen=before.stage)
    proofs.add(
        "the deposit that earned it",
        expected=enough.id,
        seen=credited.rewards[0].deposit_event_id,
    )


async def self_referral(book: Book, proofs: Proofs) -> None:
    player_id = unique("player")
    code = await book.code(player_id)
    await book.send(signup(player_id, code=code))
    await book.send(deposit(player_id))
    referral = await book.bound(player_id)
    refused = await book.at_stage(referral.referral_id, "REJECTED")
    reasons = refused.assessment.reasons if refused.assessment else []
    proofs.add("stage", expected="REJECTED", seen=refused.stage)
    proofs.add("a reason", expected="same_player", seen=reasons[0] if reasons else None)
    balance = await book.balance(player_id)
    proofs.add("credited", expected="$0.00", seen=balance.dollars("available"))


async def shared_card(book: Book, proofs: Proofs) -> None:
    pair = await signed_up(book)
    await book.send(deposit(pair.referrer_id, payment_instrument=CARD + pair.referrer_id))
    await book.send(deposit(pair.referee_id, payment_instrument=CARD + pair.referrer_id))
    await book.at_stage(pair.referral_id, "HELD")
    held = await book.balance(pair.referrer_id)
    review = await book.wait_for_review(pair.referral_id)
    answers = [
        await book.decide(review.review_id, decision, "they are married")
        for decision in ("approve", "approve", "reject")
    ]
    await book.at_stage(pair.referral_id, "REWARDED")
    balance = await book.balance(pair.referrer_id)
    proofs.add("why it is reviewed", expected=["shared_payment_instrument"], seen=review.reasons)
    proofs.add(
        "held, available before",
        expected=["$10.00", "$0.00"],
        seen=[held.dollars("held"), held.dollars("available")],
    )
    proofs.add(
        "answers to approve, approve again, reject",
        expected=[200, 200, 409],
        seen=[answer.status_code for answer in answers],
    )
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def charged_back_while_held(book: Book, proofs: Proofs) -> None:
    campaign = await book.publish(draft(hold_period="PT1H"))
    pair, paid = await deposited(book, "HELD", campaign=campaign)
    await book.send(taken_back(paid))
    voided = await book.at_stage(pair.referral_id, "VOIDED")
    balance = await book.balance(pair.referrer_id)
    proofs.add(
        "its timeline",
        expected="INVITED → SIGNED_UP → HELD → VOIDED",
        seen=" → ".join(voided.stages),
    )
    proofs.add(
        "held, available",
        expected=["$0.00", "$0.00"],
        seen=[balance.dollars("held"), balance.dollars("available")],
    )


async def charged_back_after_crediting(book: Book, proofs: Proofs) -> None:
    pair, paid = await deposited(book)
    await book.spend(pair.referrer_id, 400)
    await book.send(taken_back(paid))
    await book.at_stage(pair.referral_id, "REVERSED")
    after = await book.balance(pair.referrer_id)
    await book.send(taken_back(paid, "chargeback_won"))
    await book.at_stage(pair.referral_id, "REWARDED")
    again = await book.balance(pair.referrer_id)
    proofs.add(
        "available, owed after the chargeback",
        expected=["$0.00", "$4.00"],
        seen=[after.dollars("available"), after.dollars("owed")],
    )
    proofs.add(
        "available, owed after it is won",
        expected=["$6.00", "$0.00"],
        seen=[again.dollars("available"), again.dollars("owed")],
    )


STORIES: Final = (
    Story("A friend signs up and deposits; the deposit is delivered five times at once", paid_once),
    Story("The deposit is heard before the signup it belongs to", deposit_first),
    Story("A deposit of $5 earns nothing, and spoils nothing: the next one of $20 does", too_small),
    Story("A player signs up with a code of their own", self_referral),
    Story(
        "A friend deposits first and types the code two hours after signing up",
        claim_code_after_signup,
    ),
    Story(
        "A link was followed on this phone, and the app knows nothing of it",
        confirm_match_before_paying,
    ),
    Story("Two links were followed behind the address of one dorm", ambiguous_match_asks_nothing),
    Story("Two links were followed and a third friend's code is typed: who, and why", disputed),
    Story("The page of an invitation, on an iPhone that speaks Spanish", read_on_a_phone),
    Story(
        "Referrer and friend pay with one card: a second person looks, approves, and it is paid",
        shared_card,
    ),
    Story(
        "A campaign with a hold period; the deposit is charged back before it ends",
        charged_back_while_held,
    ),
    Story(
        "The referrer has spent $4 of the $10 when the deposit is charged back; then it is won",
        charged_back_after_crediting,
    ),
)
