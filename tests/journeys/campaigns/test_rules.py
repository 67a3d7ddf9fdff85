"""Rules of campaigns through every process: conditions, turnover, percentages and refunds."""

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_signed_up_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import (
    campaign_draft,
    chargeback,
    deposit,
    status_change,
    usd,
    wager,
)

TENTH = [
    {"to": "referrer", "amount": {"percent": "10", "maximum": usd(5000)}},
    {"to": "referee", "amount": {"by_jurisdiction": {"US-NJ": {"flat": usd(700)}}}},
]


async def test_a_percentage_follows_the_deposit_once_the_rules_are_met(
    sportsbook: SportsbookClient,
) -> None:
    draft = campaign_draft(
        rewards=TENTH,
        referrer_reward=None,
        qualifies={"on": "any_deposit", "turnover": usd(3000)},
        when={"field": "referee.verified", "op": "eq", "value": True},
    )
    campaign = await sportsbook.publish(draft)
    pair = await create_signed_up_pair(sportsbook, campaign)
    paid = deposit(pair.referee_id, minor=20_000)
    await sportsbook.send(paid)
    for minor in (1000, 1000, 1000):
        await sportsbook.send(wager(pair.referee_id, minor=minor))
    await sportsbook.wait_until_delivered()
    waiting = await sportsbook.referral(pair.referral_id)
    assert waiting.stage == "SIGNED_UP"

    await sportsbook.send(status_change(pair.referee_id, "verified"))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 2000
    assert (await sportsbook.balance(pair.referee_id)).minor("available") == 700

    await sportsbook.send(chargeback(paid, "refund", minor=15_000))

    async def available() -> int:
        return (await sportsbook.balance(pair.referrer_id)).minor("available")

    await wait_until(available, lambda minor: minor == 500, what="a tenth of what is left")
    assert (await sportsbook.balance(pair.referee_id)).minor("available") == 700


async def test_a_first_deposit_that_is_too_small_ends_the_referral(
    sportsbook: SportsbookClient,
) -> None:
    draft = campaign_draft(qualifies={"on": "first_deposit"})
    pair = await create_signed_up_pair(sportsbook, await sportsbook.publish(draft))
    await sportsbook.send(deposit(pair.referee_id, minor=500))

    rejected = await sportsbook.wait_for_stage(pair.referral_id, "REJECTED")
    assert rejected.stages == ["INVITED", "SIGNED_UP", "REJECTED"]
