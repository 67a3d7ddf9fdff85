"""The demo's stories: each calls the service over HTTP and ends in proofs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sandbox.demo.attribution_stories import (
    ambiguous_match_asks_nothing,
    claim_code_after_signup,
    competing_touches,
    confirm_match_before_paying,
    read_on_a_phone,
)
from sandbox.demo.proofs import Proofs
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import (
    create_deposited_pair,
    create_invited_pair,
    create_signed_up_pair,
)
from sandbox.sportsbook.requests import ago, campaign_draft, chargeback, deposit, signup, unique_id

CARD: Final = "4111-1111-1111-1111"


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    play: Callable[[SportsbookClient, Proofs], Awaitable[None]]


async def paid_once(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair = await create_signed_up_pair(sportsbook)
    paid = deposit(pair.referee_id)
    statuses = await asyncio.gather(*(sportsbook.send(paid) for _ in range(5)))
    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    balance = await sportsbook.balance(pair.referrer_id)
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


async def deposit_first(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair = await create_invited_pair(sportsbook)
    registered = pair.signup(at=ago(seconds=2))
    await sportsbook.send(deposit(pair.referee_id, at=ago(seconds=1)))
    await sportsbook.send(registered)
    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    balance = await sportsbook.balance(pair.referrer_id)
    proofs.add("final stage", expected="REWARDED", seen=credited.stage)
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))


async def too_small(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair = await create_signed_up_pair(sportsbook)
    small = deposit(pair.referee_id, minor=500)
    enough = deposit(pair.referee_id, minor=2000)
    await sportsbook.send(small)
    await sportsbook.wait_until_delivered()
    before = await sportsbook.referral(pair.referral_id)
    reported = await sportsbook.facts(pair.referral_id)
    await sportsbook.send(enough)
    credited = await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    proofs.add("stage after $5", expected="SIGNED_UP", seen=before.stage)
    proofs.add("why", expected="below the minimum deposit", seen=reported[-1].reason)
    proofs.add(
        "the deposit that earned it",
        expected=enough.id,
        seen=credited.rewards[0].deposit_event_id,
    )


async def self_referral(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    player_id = unique_id("player")
    code = await sportsbook.code(player_id)
    await sportsbook.send(signup(player_id, code=code))
    await sportsbook.send(deposit(player_id))
    referral = await sportsbook.wait_until_bound(player_id)
    refused = await sportsbook.wait_for_stage(referral.referral_id, "REJECTED")
    reasons = refused.assessment.reasons if refused.assessment else []
    proofs.add("stage", expected="REJECTED", seen=refused.stage)
    proofs.add("a reason", expected="same_player", seen=reasons[0] if reasons else None)
    balance = await sportsbook.balance(player_id)
    proofs.add("credited", expected="$0.00", seen=balance.dollars("available"))


async def shared_card(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair = await create_signed_up_pair(sportsbook)
    await sportsbook.send(deposit(pair.referrer_id, payment_instrument=CARD + pair.referrer_id))
    await sportsbook.send(deposit(pair.referee_id, payment_instrument=CARD + pair.referrer_id))
    await sportsbook.wait_for_stage(pair.referral_id, "HELD")
    held = await sportsbook.balance(pair.referrer_id)
    review = await sportsbook.wait_for_review(pair.referral_id)
    answers = [
        await sportsbook.decide(review.review_id, decision, "they are married")
        for decision in ("approve", "approve", "reject")
    ]
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    balance = await sportsbook.balance(pair.referrer_id)
    proofs.add("why it is reviewed", expected="shared_payment_instrument", seen=review.reasons[0])
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


async def charged_back_while_held(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    campaign = await sportsbook.publish(campaign_draft(hold_period="PT1H"))
    pair, paid = await create_deposited_pair(sportsbook, "HELD", campaign=campaign)
    await sportsbook.send(chargeback(paid))
    voided = await sportsbook.wait_for_stage(pair.referral_id, "VOIDED")
    balance = await sportsbook.balance(pair.referrer_id)
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


async def charged_back_after_crediting(sportsbook: SportsbookClient, proofs: Proofs) -> None:
    pair, paid = await create_deposited_pair(sportsbook)
    await sportsbook.spend(pair.referrer_id, 400)
    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")
    after = await sportsbook.balance(pair.referrer_id)
    await sportsbook.send(chargeback(paid, "chargeback_won"))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    again = await sportsbook.balance(pair.referrer_id)
    proofs.add(
        "available, owed after the chargeback",
        expected=["$0.00", "$4.00"],
        seen=[after.dollars("available"), after.dollars("owed")],
    )
    proofs.add(
        "available, owed after the chargeback is won",
        expected=["$6.00", "$0.00"],
        seen=[again.dollars("available"), again.dollars("owed")],
    )


STORIES: Final = (
    Story("A friend signs up and deposits; the deposit is delivered five times at once", paid_once),
    Story("The deposit arrives before the signup it belongs to", deposit_first),
    Story("A deposit of $5 is below the minimum; the next one of $20 qualifies", too_small),
    Story("A player signs up with a code of their own", self_referral),
    Story(
        "A friend deposits first and types the code two hours after signing up",
        claim_code_after_signup,
    ),
    Story(
        "A link was followed on this phone, and the app was installed without its token",
        confirm_match_before_paying,
    ),
    Story(
        "Two links were followed from one dorm's address: ambiguous, so nothing is asked",
        ambiguous_match_asks_nothing,
    ),
    Story(
        "Two links were followed and a third friend's code was typed: which counts, and why",
        competing_touches,
    ),
    Story("The invitation page, on an iPhone set to Spanish", read_on_a_phone),
    Story(
        "Referrer and friend pay with one card: held, approved by a second person, credited",
        shared_card,
    ),
    Story(
        "A campaign with a hold period; the deposit is charged back before it ends",
        charged_back_while_held,
    ),
    Story(
        "The referrer has spent $4 of the $10 when the deposit is charged back; it is won later",
        charged_back_after_crediting,
    ),
)
