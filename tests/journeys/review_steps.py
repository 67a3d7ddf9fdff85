"""Steps to a pair of players whose reward waits for a review."""

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_signed_up_pair
from sandbox.sportsbook.requests import Event, deposit, unique_id


async def hold_for_review(sportsbook: SportsbookClient) -> tuple[Pair, Event]:
    """Bring a pair to HELD by one card that both players use."""
    pair, card = await create_signed_up_pair(sportsbook), unique_id("card")
    await sportsbook.send(deposit(pair.referrer_id, payment_instrument=card))
    paid = deposit(pair.referee_id, payment_instrument=card)
    await sportsbook.send(paid)
    await sportsbook.wait_for_stage(pair.referral_id, "HELD")
    return pair, paid
